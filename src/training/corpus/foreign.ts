// Texts of none of the known kinds. A classifier that has never seen any calls a recipe an invoice; from these it learns
// what the rest of the world looks like. The kinds of the test are none of those of the training.
import type { DocumentKind } from './kinds.ts'

export const UNKNOWN = 'unknown'

export const FOREIGN: DocumentKind = {
  label: UNKNOWN,
  train: {
    en: [
      `(Grandma's|Easy|Quick) (apple pie|lentil soup|pancakes|roast chicken)
Ingredients:
3-6*{number} g (flour|sugar|butter|carrots|lentils|onions), {n} (eggs|cloves of garlic|cups of milk)
Preheat the oven to {number} degrees. (Whisk|Stir|Fold) the (eggs|butter) into the flour. Bake for {number} minutes until golden. Serves {n}.`,
      `Once upon a time {first} lived in a (small|quiet) house near {city}. (Every night|One day) the wind told (her|him) stories of the sea.
"Where are you going?" asked the old woman. "Home," said {first}, and (smiled|walked on into the dark).
?The lamp went out. Nobody spoke for a long time.`,
      `import (os|sys|json)
def (load|parse|main)(path, value={n}):
    for item in range({number}):
        if item % {n} == 0: return None
    print("done")
class Handler: pass  # {topic}
2-4*const value{n} = await fetch('https://{url}/{n}'); if (!value{n}) throw new Error('x');`,
      `{city} {date}: (Hundreds of people|Police|Local residents) (took to the streets|said on {month} {n}|were surprised) after (the storm|the election|a fire in {city}).
(Witnesses described|Officials said) (a loud noise|heavy rain) around {time}. (The mayor|A neighbour) told reporters that nobody was hurt. Traffic was diverted for {n} hours.`,
      `<{first}> (anyone here?|lol|brb)
3-6*<{first}> (haha yes|did you see the match|my cat ate the cable again|what time tonight|ok see you)
<{first}> gtg bye`,
      `{city} is a city in the (north|south|east) of the country with {number},{number} inhabitants. It was founded in the {n}th century on the river and is known for its cathedral and (its harbour|its university).
The climate is mild. (The painter|The composer) {person} was born here in 1{number}.`,
      `Chapter {n}. How to (assemble|clean|install) your {thing}
Step 1: (Unplug the device|Remove the cover). Step 2: (Press the button for {n} seconds|Tighten the screws). Step 3: Put the cover back.
Warning: do not immerse in water. If the light blinks red, see troubleshooting.`,
      `(Today|Tomorrow): (sunny spells|light rain|fog in the morning), highs of {n} degrees, wind (south-west|north) {number} km/h. (Sunday|Monday): cloudy with showers, chance of rain {percent}.`,
      `(Best|Great) {thing} I ever bought!!! (5 stars|★★★★☆) (Arrived quickly|Works as described|Stopped working after {n} weeks). Would (definitely|not) buy again. {n} people found this review helpful.`,
      `O (moon|river|silent field), you (wander|sleep|shine) above the (town|stone)
and I, a (child|stranger|shadow), follow your (song|light) alone;
the (years|leaves|waves) go (out|down|by) like (ships|birds|snow),
and what I (loved|lost|was) I do not know.`,
      `Q: (What is the capital of the region|How many legs has a spider|Which planet is the largest)? a) {city} b) {n} c) none of these
3-5*Q: (Solve|Find) x: {n}x + {n} = {number}. (Show your work.|{n} points)
Name: ______ Class: ______`,
    ],
    de: [
      `Zutaten für {n} Personen: {number} g Mehl, {n} Eier, {number} ml Milch, Salz
Den Ofen auf {number} Grad vorheizen. Alles verrühren und {number} Minuten backen. Guten Appetit!`,
      `Es war einmal ein Mädchen, das wohnte am Waldrand bei {city}. Eines Abends klopfte es an der Tür. „Wer ist da?“, fragte {first}.`,
      `{city} ist eine Stadt im Norden des Landes mit {number}.000 Einwohnern. Sie liegt am Fluss und ist für ihren Dom bekannt. Im Jahr 1{number} wurde hier {person} geboren.`,
    ],
    es: [
      `Ingredientes para {n} personas: {number} g de harina, {n} huevos, aceite y sal
Precalentar el horno a {number} grados. Mezclar todo y hornear {number} minutos. ¡Buen provecho!`,
      `Érase una vez una niña que vivía cerca de {city}. Una noche llamaron a la puerta. —¿Quién es? —preguntó {first}, y nadie contestó.`,
      `{city} es una ciudad situada en el norte del país, con {number}.000 habitantes. Es conocida por su catedral y su puerto. Aquí nació {person} en 1{number}.`,
    ],
  },
  test: {
    en: [
      `[Verse {n}] Driving through {city} with the radio on, baby the summer is gone
[Chorus] Oh oh oh, dance with me till the morning light, hold me tight tonight
[Bridge] na na na, never let me go`,
      `{city} beat {city} {n}-{n} on Saturday. {last} opened the scoring in the {number}th minute with a header; {last} equalised from the penalty spot. The goalkeeper made a fine save in stoppage time. The league leaders stay {n} points clear.`,
      `Our walking tour starts at the old harbour of {city}. Turn left after the fountain, climb the tower for the view and try the grilled sardines in one of the taverns. Best time to go: {month}. Hostels from cheap to charming line the beach.`,
      `Rules of the game: each player draws {n} cards. On your turn roll the die and move your token clockwise. If you land on a red square you lose a turn. The first to reach the castle wins. For {n} to {n} players, ages 8 and up.`,
      `Aries: Venus smiles on you this week, be patient with a loved one. Taurus: an old friend returns; trust your heart. Lucky number {n}, lucky colour green.`,
      `The red fox is a mammal with a bushy tail. It hunts mice at dusk, sleeps in a den and raises four to six cubs in spring. Its fur turns thicker in winter.`,
      `{year}-0{n}-1{n}T0{n}:1{n}:22Z ERROR worker {n} timeout after {number} retries
3-6*{year}-0{n}-1{n}T0{n}:3{n}:07Z INFO GET /index.html 200 {number} bytes`,
    ],
    de: [
      `Der Rotfuchs hat einen buschigen Schwanz und jagt in der Dämmerung Mäuse. Im Frühjahr bekommt die Füchsin vier bis sechs Junge.`,
      `{city} schlägt {city} mit {n}:{n}. {last} traf in der {number}. Minute per Kopfball, der Torwart war ohne Chance.`,
    ],
    es: [
      `El zorro rojo tiene una cola peluda y caza ratones al atardecer. En primavera la hembra cría de cuatro a seis cachorros.`,
      `{city} venció a {city} por {n} a {n}. {last} marcó de cabeza en el minuto {number} y el portero no pudo hacer nada.`,
    ],
  },
}
