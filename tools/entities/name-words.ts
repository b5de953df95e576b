// The words names are told by. First names, cities, countries, companies and everyday words come from compromise's
// lexicon and from the runtime's own list of the world's regions; what they lack stands here.
import nlp from 'compromise'

export type NameKind = 'person' | 'organisation' | 'place'

const TAG_KINDS: Record<string, NameKind> = {
  MaleName: 'person',
  FemaleName: 'person',
  FirstName: 'person',
  LastName: 'person',
  Person: 'person',
  City: 'place',
  Country: 'place',
  Region: 'place',
  Place: 'place',
  Organization: 'organisation',
  SportsTeam: 'organisation',
}

export interface Lexicon {
  /** What this whole name is, if it is known. */
  known(name: string): NameKind | undefined
  isFirstName(word: string): boolean
  /** A word of the language rather than a name. */
  isCommon(word: string): boolean
  isDemonym(word: string): boolean
  /** A word that no name begins with: an article, a greeting, the label of a form. */
  isFiller(word: string): boolean
}

const MORE_COMMON =
  'the a an and or but nor if then than that this these those there here where when what which who whom whose why how ' +
  'i you he she it we they me him her us them my your his its our their mine yours hers ours theirs am is are was were ' +
  'be been being have has had do does did done will would shall should may might must can could not no yes never ever ' +
  'always also just only very too so as at by for from in into of off on onto out over to under up with without about ' +
  'after again against all any because before below between both down during each few further more most other own same ' +
  'some such through until while now once please thank thanks hello hi dear hey sincerely regards best kind yours ' +
  'patient question answer note summary introduction conclusion abstract appendix chapter section table figure page ' +
  'total subtotal amount date due number invoice order customer client supplier vendor seller buyer payment terms ' +
  'description quantity price unit tax vat net gross discount delivery shipping address phone fax email mail website ' +
  'subject name title report agreement contract party parties article clause schedule exhibit annex policy claim ' +
  'monday tuesday wednesday thursday friday saturday sunday january february march april june july august september ' +
  'october november december today tomorrow yesterday spring summer autumn winter north south east west new old first ' +
  'second third last next one two three four five six seven eight nine ten hundred thousand million billion ' +
  'provider contractor licensor licensee lessor lessee landlord tenant borrower lender consultant recipient purchaser ' +
  'mission statement bot user apt suite box street road avenue pedestrians celebrating title rights act '

const MORE_PLACES =
  'england scotland wales northern ireland bavaria saxony catalonia tuscany lombardy brittany normandy andalusia ' +
  'silesia europe asia africa america antarctica oceania scandinavia benelux california texas florida usa u.s. u.s.a. uk u.k. uae'

let lexicon: Lexicon | undefined

export function nameLexicon(): Lexicon {
  lexicon ??= load()
  return lexicon
}

function load(): Lexicon {
  const model = nlp.model() as { one: { lexicon: Record<string, string | string[]> } }
  const kinds = new Map<string, NameKind>()
  const firstNames = new Set<string>()
  const demonyms = new Set<string>()
  const fillers = new Set(MORE_COMMON.split(' '))
  const common = new Set(fillers)
  for (const [word, tagged] of Object.entries(model.one.lexicon)) {
    const tags = Array.isArray(tagged) ? tagged : [tagged]
    const kind = tags.map((tag) => TAG_KINDS[tag]).find((one) => one !== undefined)
    if (kind !== undefined) kinds.set(word, kind)
    else if (tags.includes('Demonym')) demonyms.add(word)
    else common.add(word)
    if (tags.some((tag) => tag === 'MaleName' || tag === 'FemaleName' || tag === 'FirstName')) firstNames.add(word)
  }
  const regions = new Intl.DisplayNames(['en'], { type: 'region' })
  for (let first = 65; first <= 90; first++) {
    for (let second = 65; second <= 90; second++) {
      const code = String.fromCharCode(first, second)
      const name = regions.of(code)
      if (name !== undefined && name !== code && name !== 'Unknown Region') kinds.set(name.toLowerCase(), 'place')
    }
  }
  for (const place of MORE_PLACES.split(' ')) kinds.set(place, 'place')
  return {
    known: (name) => kinds.get(name.toLowerCase()),
    isFirstName: (word) => firstNames.has(word.toLowerCase()),
    isCommon: (word) => {
      const lower = word.toLowerCase()
      return common.has(lower) || common.has(lower.replace(/(?:'s|s|ed|ing|ly)$/, ''))
    },
    isFiller: (word) => fillers.has(word.toLowerCase()),
    isDemonym: (word) => demonyms.has(word.toLowerCase()),
  }
}

export const TITLES =
  /^(mr|mrs|ms|miss|mx|dr|prof|professor|sir|dame|lord|lady|rev|hon|judge|justice|president|senator|captain|herr|frau|monsieur|madame|señor|señora|don|doña)\.?$/i

/** Last words of organisations' names. */
export const ORGANISATION_END =
  /^(inc|llc|llp|ltd|limited|plc|corp|corporation|incorporated|co|company|gmbh|ag|kg|se|sa|s\.a|sas|sarl|srl|spa|s\.p\.a|nv|bv|b\.v|oy|ab|a\/s|aps|kk|pty|group|holdings?|partners|associates|ventures|capital|industries|enterprises|technolog(?:y|ies)|solutions|systems|services|software|labs?|laboratories|networks?|media|pharma|pharmaceuticals|consulting|logistics|analytics|bank|insurance|university|college|institute|school|hospital|clinic|ministry|department|agency|authority|commission|committee|council|court|foundation|association|federation|union|society|trust|fund|church|museum|press|airlines?|airways|motors|electric|energy|stores?|corps|exchange|force|board|bureau|office|club|party|resources|international|transit|insight)\.?$/i

/** What only a firm ends with. */
export const LEGAL_FORM =
  /^(inc|llc|llp|ltd|limited|plc|corp|corporation|gmbh|ag|kg|sas|sarl|srl|nv|bv|oy|ab|aps|pty)\.?$/i

/** First words of organisations' names. */
export const ORGANISATION_START =
  /^(bank|university|ministry|department|institute|college|federal|national|royal|international|united|american|european|central)$/i

/** Last words of places' names. */
export const PLACE_END =
  /^(city|county|province|state|island|islands|valley|beach|river|lake|mountains?|bay|park|village|town|republic|kingdom|peninsula|coast|desert|sea|ocean)$/i

/** Words that join the parts of one name: Ludwig van Beethoven, University of Oxford. */
export const PARTICLE =
  /^(of|de|del|della|di|da|dos|das|do|van|von|der|den|ter|la|le|el|al|bin|ibn|y|e|av|af|zu|zum|zur)$/

/** Words that make a name the name of a street. */
export const STREET =
  /^(street|st|str|road|rd|avenue|ave|avda|lane|ln|drive|blvd|boulevard|square|crescent|crossroad|suite|apt|apartment|unit|floor|box|rue|via|viale|piazza|piazzetta|calle|rua|avenida|platz|ul|utca|.{2,}(?:strasse|straße|gasse|weg|gata|gade|laan|straat|vägen|gatan|katu|tie))\.?$/i
