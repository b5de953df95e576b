// Words that carry no subject of their own, in the languages that office documents mostly have.
const WORDS: Record<string, string> = {
  en: 'a about above after again against all also am an and any are as at be because been before being below between both but by can could did do does doing down during each few for from further had has have having he her here hers him his how i if in into is it its itself just may me might more most must my no nor not now of off on once only or other our ours out over own per same shall she should so some such than that the their theirs them then there these they this those through to too under until up upon us very was we were what when where which while who whom why will with within without would you your yours etc e.g i.e said new one two use used using well however therefore thus hereby herein thereof',
  de: 'aber als am an auch auf aus bei bin bis bist da damit das dass dein dem den der des die dies diese dieser dieses doch dort du durch ein eine einem einen einer eines er es euer für hat hatte haben habe hier ich ihr ihre im in ist ja jede jeder jedes kann kein keine können mein mit muss nach nicht noch nun nur ob oder ohne sehr sein seine sich sie sind so soll über um und uns unser unter vom von vor war waren was weil wenn wer werden wie wir wird wo wurde wurden zu zum zur zwischen',
  fr: 'à alors au aucun aussi autre aux avec avoir ce cela ces cette chez ci comme dans de des du elle elles en est et été être eu il ils je la le les leur leurs lui ma mais me même mes mon ne nos notre nous on ont ou où par pas pour qu que quel quelle qui sa sans se ses si son sont sur ta te tes toi ton tous tout tu un une vos votre vous y',
  es: 'a al algo ante antes como con contra cual cuando de del desde donde durante e el ella ellas ellos en entre era es esa ese eso esta este esto estos fue ha hasta hay la las le les lo los más me mi muy ni no nos o os otra otro para pero poco por porque que quien se sea ser si sin sobre son su sus también tanto te tiene todo tu un una uno y ya',
  it: 'a ad al alla alle anche ancora che chi ci come con cui da dal dalla degli dei del della delle di dopo e ed era essere fra gli ha hanno i il in io la le lei lo loro lui ma mi ne negli nei nel nella noi non nostro o per perché più poi quale quando quello questo se sei si sia sono sua sul sulla suo tra tu un una uno vi voi',
  pt: 'a ao aos as até com como da das de dela dele do dos e é ela ele em entre era essa esse esta este eu foi há isso já lhe mais mas me mesmo meu minha muito na não nas nem no nos nós num o os ou para pela pelo por qual quando que quem se sem ser seu seus só sua suas também te tem um uma você',
  nl: 'aan al als bij dan dat de der deze die dit door een en er had heb hebben heeft het hij hoe hun ik in is je kan maar me men met mij na naar niet nog nu of om omdat onder ons ook op over te tot uit van veel voor waar was wat we wel werd wie wij worden wordt zal ze zich zij zijn zo zou',
}

const sets = new Map<string, Set<string>>()

/** The stop words of a language; of a language without a list, those of English. */
export function stopWords(language: string): Set<string> {
  const key = Object.hasOwn(WORDS, language) ? language : 'en'
  let set = sets.get(key)
  if (set === undefined) {
    set = new Set(WORDS[key]!.split(' '))
    sets.set(key, set)
  }
  return set
}
