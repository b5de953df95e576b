// Light stemming: endings that inflect a word are cut, alike for every language of a script. Guessing the language of a
// query of three words goes wrong too often, and a query stemmed by other rules than its passages finds nothing. Cutting
// too much joins a few words that differ; BM25 forgives that, because the other words of the query decide.

const ARABIC = /[\u0600-\u06ff]/
const LATIN = /^[a-z]+$/

/** Takes a folded word. */
export function stem(word: string): string {
  if (LATIN.test(word)) return stemLatin(word)
  return ARABIC.test(word) ? stemArabic(word) : word
}

// English -ing -ed -ly, German -en -er -em -es, then the vowel or n that marks number, case or gender in German and Spanish.
const LATIN_ENDINGS = ['ing', 'ed', 'en', 'er', 'em', 'es', 'ly']
const SHORTEST_STEM = 4

function stemLatin(word: string): string {
  let stemmed = singular(word)
  if (word.length <= SHORTEST_STEM) return stemmed
  const ending = LATIN_ENDINGS.find((end) => stemmed.endsWith(end) && stemmed.length - end.length >= SHORTEST_STEM)
  if (ending !== undefined) stemmed = stemmed.slice(0, -ending.length)
  if (stemmed.length > SHORTEST_STEM && /[eoan]$/.test(stemmed)) stemmed = stemmed.slice(0, -1)
  if (stemmed.length > SHORTEST_STEM && stemmed.endsWith('y')) stemmed = `${stemmed.slice(0, -1)}i`
  // "planned" and "plan": the doubled consonant came with the ending.
  if (stemmed.length > SHORTEST_STEM && /([bdfgmnprt])\1$/.test(stemmed)) stemmed = stemmed.slice(0, -1)
  return stemmed
}

function singular(word: string): string {
  if (word.length < SHORTEST_STEM) return word
  if (word.endsWith('ies') && word.length > SHORTEST_STEM) return `${word.slice(0, -3)}y`
  if (word.endsWith('es') && !/[aeo]es$/.test(word)) return word.slice(0, -1)
  if (word.endsWith('s') && !/[su]s$/.test(word)) return word.slice(0, -1)
  return word
}

const ARABIC_PREFIXES = ['وال', 'بال', 'كال', 'فال', 'ال', 'لل']
const ARABIC_SUFFIXES = ['ها', 'ان', 'ات', 'ون', 'ين', 'يه', 'ه', 'ي']

// The article with its joined prepositions, "and", and the endings of gender, number and possession.
function stemArabic(word: string): string {
  let stemmed = word
    .replaceAll('ـ', '')
    .replaceAll(/[أإآٱ]/g, 'ا')
    .replaceAll('ى', 'ي')
    .replaceAll('ة', 'ه')
  const prefix = ARABIC_PREFIXES.find((start) => stemmed.startsWith(start) && stemmed.length - start.length >= 2)
  if (prefix !== undefined) stemmed = stemmed.slice(prefix.length)
  if (stemmed.startsWith('و') && stemmed.length >= 4) stemmed = stemmed.slice(1)
  const suffix = ARABIC_SUFFIXES.find((end) => stemmed.endsWith(end) && stemmed.length - end.length >= 2)
  return suffix === undefined ? stemmed : stemmed.slice(0, -suffix.length)
}
