// What people write to and about each other at work: letter, email, resume, minutes.
import type { DocumentKind } from './kinds.ts'

export const LETTER: DocumentKind = {
  label: 'letter',
  train: {
    en: [
      `{person}
{address}
{date}
{company}
{address}
Dear (Sir or Madam|Mr {last}|Ms {last}|Dr {last}|Mrs {last}),
?Re: {topic}
(I am writing to|We are writing to|This letter is to) (inform you about|complain about|enquire about|thank you for|apologise for) ({service}|our recent meeting|your letter of {date}|the delay of my order).
?(As agreed in our conversation|Further to our telephone call of {date}), (we enclose the documents that you asked for|I would be grateful for a reply).
?(Unfortunately|Regrettably), the {thing} that I bought (arrived damaged|has never arrived|does not work).
(Please do not hesitate to contact me|I look forward to hearing from you|We would appreciate an early reply|I trust you will give this your prompt attention).
(Yours sincerely|Yours faithfully|Sincerely|Kind regards|Respectfully yours),
{person}
?{role}
?(Encl.|Enclosures: {n}|cc: {person})`,
      `{company}, {address}
{date}
To whom it may concern
(I have known {person} for {n} years|{person} worked with us as {role} from {year} to {year}).
(She|He) was (reliable|punctual|thorough) and (a pleasure to work with|respected by all colleagues).
I (recommend|can recommend) (her|him) without reservation.
Yours faithfully
{person}, {role}`,
      `Dear {first},
It was (lovely|so good) to (see you in {city}|receive your letter). (The children are well|We moved house in {month}|The garden is full of apples).
(I hope that you can visit us|Do write soon and tell me about your new job|Thank you again for the kind present).
With (love|warm wishes),
{first}`,
    ],
    de: [
      `{person}, {address}
{company}
{address}
{city}, den {date}
?Betreff: {topic}
Sehr geehrte (Damen und Herren|Frau {last}|Herr {last}),
(hiermit kündige ich meinen Vertrag|ich nehme Bezug auf Ihr Schreiben vom {date}|wir danken Ihnen für Ihr Schreiben|ich möchte mich über {service} beschweren).
(Bitte bestätigen Sie mir den Eingang schriftlich|Für Rückfragen stehe ich gern zur Verfügung|Ich bitte um Antwort bis {date}).
Mit freundlichen Grüßen
{person}
?Anlagen`,
    ],
    es: [
      `{person}, {address}
{city}, {date}
?Asunto: {topic}
(Estimado señor {last}|Estimada señora {last}|Muy señores míos|A quien corresponda):
(Me dirijo a ustedes para|Por medio de la presente quiero|Le escribo para) (solicitar información|presentar una queja|agradecer su ayuda|comunicarles mi decisión) sobre {service}.
(Quedo a la espera de su respuesta|Agradezco de antemano su atención).
(Atentamente|Le saluda atentamente|Cordialmente),
{person}`,
    ],
  },
  test: {
    en: [
      `{address}
{date}
Dear Mr and Mrs {last},
Your application of {date} has been considered by our office. I regret that we cannot approve it at this time, since the required certificate was missing.
You may appeal in writing within {number} days.
Yours truly,
{person}
{role}, {company}`,
      `{company}
{city}, {date}
Dear Valued Customer,
From {date} our branch in {city} will move to {address}. Your account and your contact persons stay the same.
We thank you for your trust over the years and hope to welcome you in the new rooms.
Best wishes, {person}, {role}`,
    ],
    de: [
      `Liebe Frau {last},
vielen Dank für Ihren Brief vom {date}. Leider können wir Ihrem Wunsch nach {service} nicht entsprechen.
Wir hoffen auf Ihr Verständnis und verbleiben
hochachtungsvoll
{person}, {company}, {city}`,
    ],
    es: [
      `{company}, {city}, a {date}
Distinguida clienta:
En respuesta a su carta del {date}, lamentamos informarle de que no podemos atender su petición de {service}.
Sin otro particular, reciba un cordial saludo.
{person}, {role}`,
    ],
  },
}

export const EMAIL: DocumentKind = {
  label: 'email',
  train: {
    en: [
      `From: {person} <{email}>
To: {email}
?Cc: {email}, {email}
(Sent|Date): {date} {time}
Subject: (Re: |Fwd: |){topic}
?Attachments: {topic}.(pdf|xlsx|docx)
(Hi|Hello|Hey|Dear) {first},
(Quick question about|Just following up on|See attached for|Any news on|Thanks for sending) {topic}. (Can you check by {date}?|Let me know if {time} works.|I will look at it tomorrow.)
?(Could you forward this to {first}?|Please reply all.|Ping me if anything is unclear.)
(Thanks|Cheers|Best|Regards),
{first}
?-- {person} | {role} | {phone} | {url}`,
      `On {date}, {person} <{email}> wrote:
> (Can we move the call to {time}?|Did you get my last mail?|Please find the draft attached.)
> {first}
(Sure, works for me.|Done, see the link below.|Sorry for the late reply!|Adding {first} to the thread.)
?Sent from my phone
{first}`,
      `Message-ID: <{digits}@example.com>
From: {email}
To: {email}
Subject: {topic}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Hi (all|team|everyone),
(a short reminder|heads up|FYI): {topic} is due on {date}. (Slides are in the shared drive.|Please update the sheet.)
{first}`,
    ],
    de: [
      `Von: {person} <{email}>
An: {email}
?CC: {email}
Gesendet: {date} {time}
Betreff: (AW: |WG: |){topic}
(Hallo|Hi|Guten Morgen|Liebe) {first},
(anbei die Unterlagen zu|kurze Frage zu|danke für die Info zu) {topic}. (Passt dir {time} Uhr?|Kannst du das bis {date} prüfen?|Melde dich bei Fragen.)
(Viele Grüße|Beste Grüße|VG|LG)
{first}`,
    ],
    es: [
      `De: {person} <{email}>
Para: {email}
?CC: {email}
Enviado: {date} {time}
Asunto: (RE: |RV: |){topic}
(Hola|Buenos días|Buenas tardes) {first}:
(te adjunto el archivo de|una pregunta rápida sobre|gracias por el correo sobre) {topic}. (¿Te va bien a las {time}?|¿Puedes revisarlo antes del {date}?)
(Un saludo|Saludos|Gracias),
{first}`,
    ],
  },
  test: {
    en: [
      `{person} <{email}>
{date}, {time}
to me, {first}, {first}
{topic} - next steps
Morning both, I uploaded the new version, link here: https://{url}/files/{digits}
Can one of you have a look before lunch? No rush otherwise.
Talk later, {first}`,
      `Reply-To: {email}
Subject: Out of office: {topic}
I am out of the office until {date} with limited access to my inbox. For anything urgent write to {email}.
Your message was not forwarded.
{person}, {role}`,
    ],
    de: [
      `{email} schrieb am {date} um {time}:
> Hast du schon etwas von {first} gehört?
Nein, leider noch nicht. Ich habe {first} in Kopie gesetzt, Anhang folgt heute Nachmittag.
Gruß, {first}`,
    ],
    es: [
      `{email} escribió el {date} a las {time}:
> ¿Tienes ya la presentación?
Sí, te la paso en el enlace de abajo. Pongo a {first} en copia por si falta algo.
Abrazos, {first}
Enviado desde mi móvil`,
    ],
  },
}

export const RESUME: DocumentKind = {
  label: 'resume',
  train: {
    en: [
      `(CURRICULUM VITAE|Resume|CV|)
{person}
{role}
{address} | {phone} | {email}
(Profile|Summary|Objective|About me)
(Experienced|Motivated|Detail-oriented) {role} with {n} years of experience in {topic}.
(Work experience|Professional experience|Employment history)
2-4*{year} - ({year}|present) {role}, {company}, {city}. (Led a team of {n}|Responsible for {topic}|Reduced costs by {percent}|Managed a budget of {money}).
(Education|Education and training)
1-2*{year} - {year} (BSc|MSc|BA|MBA|Diploma) in (economics|engineering|computer science|design|nursing), University of {city}
(Skills|Key skills): {skill}, {skill}, {skill}, {skill}
(Languages|Language skills): English (native|fluent), (German|Spanish|French) (B2|intermediate|basic)
?(References available on request|Hobbies: hiking, chess|Driving licence class B)`,
      `{person} — {role}
{email} {phone} linkedin.example/{first}
Skills: {skill}, {skill}, {skill}
Experience
2-4*{company} ({year}–{year}): {role}. (Built|Designed|Improved|Delivered) {topic} (projects|systems|programmes), (raising|cutting) cost by {percent}.
Certifications: {skill} ({year}), {skill} ({year})
Education: {city} College, graduated {year}`,
    ],
    de: [
      `(LEBENSLAUF|Lebenslauf)
(Persönliche Daten|Zur Person)
Name: {person}
Geburtsdatum: {date} in {city}
Anschrift: {address} Telefon: {phone} E-Mail: {email}
(Berufserfahrung|Beruflicher Werdegang)
2-4*{year} – (heute|{year}) {role} bei {company}, {city}
(Ausbildung|Studium und Schule)
1-2*{year} – {year} (Studium|Ausbildung|Abitur) in {city}
(Kenntnisse|Fähigkeiten): {skill}, {skill}, Englisch (fließend|gut)
?(Familienstand: ledig|Führerschein: Klasse B|Ehrenamt)`,
    ],
    es: [
      `(CURRÍCULUM VITAE|Currículum|Hoja de vida)
(Datos personales|)
{person} {address} {phone} {email}
(Experiencia laboral|Experiencia profesional)
2-4*{year} - (actualidad|{year}) {role} en {company}, {city}
(Formación académica|Educación)
1-2*{year} - {year} (Licenciatura|Grado|Máster) en (economía|ingeniería|derecho), Universidad de {city}
(Habilidades|Competencias): {skill}, {skill}, {skill}
Idiomas: español (nativo), inglés (B2|avanzado)
?(Referencias disponibles|Carnet de conducir B)`,
    ],
  },
  test: {
    en: [
      `{person}
Born {date}, living in {city}
Career
2-4*{role} at {company} since {year}; main achievements: {topic}, {percent} growth
Academic background
Master of Science, {city} Institute of Technology, {year}
Tools I use: {skill}, {skill}, {skill}. I speak English and Portuguese.
Interests: rowing, photography. Contact: {email}`,
      `Personal details: {person}, {phone}, {email}
Career goal: a position as {role} where I can use my {skill} knowledge
Positions held
2-3*{role} ({year} to {year}) {company}: supervised {n} employees, introduced {topic}
Qualifications: Bachelor degree {year}; {skill} certificate
Volunteer work: youth trainer in {city}. Referees on request.`,
    ],
    de: [
      `{person}, {role}
{address}, {email}
Werdegang
2-4*seit {year} {role}, {company}: Leitung eines Teams, Schwerpunkt {topic}
Hochschulabschluss {year}, Universität {city}; Weiterbildung {skill}
Sprachen: Deutsch Muttersprache, Englisch C1. Interessen: Rudern, Lesen`,
    ],
    es: [
      `{person}, {role}
Perfil profesional con {n} años de trayectoria en {topic}
2-4*Desde {year}: {role}, {company}. Logros: {topic}
Estudios: título universitario, {city}, {year}. Cursos de {skill} y {skill}
Aficiones: fotografía. Contacto {email}`,
    ],
  },
}

export const MINUTES: DocumentKind = {
  label: 'minutes',
  train: {
    en: [
      `(MINUTES|Minutes of the meeting|Meeting minutes|Minutes of the {department} meeting)
(Date|Held on): {date}, {time}, (room {n}|{city}|video call)
(Present|Attendees|In attendance): {person}, {person}, {person}
(Apologies|Absent): {person}
(Chair|Chairperson): {person}   (Minutes taken by|Secretary): {person}
1. (Approval of the previous minutes|Minutes of the last meeting): approved (without changes|unanimously)
2-4*{n}. {topic}: {first} (reported on progress|presented the figures|raised concerns). (It was agreed to|The board decided to|Resolved:) (continue|postpone the decision|ask for offers).
(Action items|Actions)
2-3*{first} to (prepare|send|check) {topic} by {date}
?(Any other business|AOB): none
(Next meeting|Date of next meeting): {date}. The meeting (closed|was adjourned) at {time}.`,
      `{company} board meeting, {date}
The chair opened the meeting at {time} and noted that a quorum was present.
2-4*Agenda item {n}, {topic}: after discussion the motion was (carried|defeated) with {n} votes in favour and {n} against. (Moved by {last}, seconded by {last}.|)
The meeting adjourned at {time}. Recorded by {person}.`,
    ],
    de: [
      `(PROTOKOLL|Protokoll der Sitzung|Besprechungsprotokoll|Niederschrift)
Datum: {date}, {time} Uhr, Ort: (Raum {n}|{city})
(Teilnehmer|Anwesend): {person}, {person}, {person}
(Entschuldigt|Abwesend): {person}  Protokollführung: {person}
2-4*TOP {n}: {topic}. {first} berichtet über den Stand. (Beschluss: einstimmig angenommen|Das Gremium beschließt die Vertagung).
(Aufgaben|Maßnahmen): {first} klärt {topic} bis {date}
(Nächste Sitzung|Nächster Termin): {date}. Ende der Sitzung: {time} Uhr`,
    ],
    es: [
      `(ACTA DE LA REUNIÓN|Acta de reunión|Acta de la junta)
Fecha: {date}, hora: {time}, lugar: {city}
Asistentes: {person}, {person}, {person}
(Ausentes|Excusan su asistencia): {person}. Secretario: {person}
Orden del día
2-4*{n}. {topic}: {first} informa sobre el avance. (Se acuerda por unanimidad continuar|Se aprueba la propuesta|Se aplaza la decisión).
(Acuerdos|Tareas): {first} preparará {topic} antes del {date}
Próxima reunión: {date}. Se levanta la sesión a las {time}.`,
    ],
  },
  test: {
    en: [
      `Weekly {department} sync - notes
Who was there: {first}, {first}, {first} ({first} excused)
2-4*- {topic}: {first} gave an update, decision: go ahead; owner {first}, due {date}
Open points from last time: all done
We meet again {date} at {time}. Note taker: {first}`,
      `Record of the general assembly of {company} held in {city} on {date}
Members present: {number}. Presiding: {person}
2-4*The assembly considered {topic} and voted: {number} for, {n} against, {n} abstentions. Adopted.
There being no further business, the session ended at {time}. Signed: {person}, {person}`,
    ],
    de: [
      `Ergebnisse der Besprechung {department} am {date}
Dabei: {first}, {first}, {first}
2-4*{topic}: {first} stellt den Stand vor, Entscheidung vertagt, verantwortlich {first}
Die Sitzung wurde um {time} geschlossen. Schriftführer: {person}`,
    ],
    es: [
      `Resumen de la sesión del comité de {department}, {date}
Presentes: {first}, {first} y {first}; preside {person}
2-4*Punto {n}, {topic}: sometido a votación, aprobado con {n} votos a favor. Responsable: {first}
No habiendo más asuntos que tratar, se cierra la sesión a las {time}.`,
    ],
  },
}
