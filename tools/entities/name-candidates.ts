// What might be a name: runs of capitalised words, with what only surrounds a name taken off.
import { LEGAL_FORM, type Lexicon, ORGANISATION_END, PARTICLE, TITLES } from './name-words.ts'

interface Token {
  text: string
  start: number
  end: number
  /** Does a sentence or a line begin here? Then a capital means little. */
  opens: boolean
}

export interface Candidate {
  tokens: Token[]
  start: number
  end: number
  titled: boolean
}

const TOKEN = /\p{L}(?:[\p{L}\p{M}\d]|['’](?=\p{L}{2}|t\b)|[-.&](?=\p{L}))*|\S/gu
/** After one of these a sentence or an item begins. */
const OPENING = new Set('.!?:;>•*"“')

function tokenise(text: string): Token[] {
  const tokens: Token[] = []
  let opens = true
  let last = 0
  for (const match of text.matchAll(TOKEN)) {
    const [word] = match
    // Most gaps are nothing or one space.
    if (match.index > last && text.slice(last, match.index).includes('\n')) opens = true
    tokens.push({ text: word, start: match.index, end: match.index + word.length, opens })
    last = match.index + word.length
    // A longer token is a word; one of two units may be an emoji.
    if (word.length > 2 || /[\p{L}\d]/u.test(word)) opens = false
    else if (OPENING.has(word)) {
      const before = tokens.at(-2)?.text ?? ''
      const abbreviates = word === '.' && (TITLES.test(before) || /^\p{Lu}$/u.test(before))
      if (!abbreviates) opens = true
    }
  }
  return tokens
}

export function findCandidates(text: string, lexicon: Lexicon): Candidate[] {
  const tokens = tokenise(text)
  const candidates: Candidate[] = []
  for (let index = 0; index < tokens.length; index++) {
    if (!isNameWord(tokens[index]!, lexicon)) continue
    // "BS1 5TY", "3M": letters that a digit leads into belong to a code.
    if (/\d/.test(text[tokens[index]!.start - 1] ?? '')) continue
    let end = index
    while (end + 1 < tokens.length && end - index < 8) {
      const gap = text.slice(tokens[end]!.end, tokens[end + 1]!.start)
      if (!/^[ \u00a0]{0,2}$/.test(gap)) break
      if (isNameWord(tokens[end + 1]!, lexicon)) end += 1
      else if (joins(tokens, end + 1, text, lexicon)) end += 2
      // "J." and "Inc.": the point belongs to the name when another name word follows.
      else if (
        tokens[end + 1]!.text === '.' &&
        (tokens[end]!.text.length === 1 || TITLES.test(tokens[end]!.text)) &&
        tokens[end + 2] !== undefined &&
        isNameWord(tokens[end + 2]!, lexicon)
      )
        end += 2
      else break
    }
    candidates.push(...trim(tokens.slice(index, end + 1), lexicon))
    index = end
  }
  return joinFirms(candidates, text)
}

function isNameWord(token: Token, lexicon: Lexicon): boolean {
  if (!/^\p{Lu}/u.test(token.text) || /['’](t|ll|re|ve)$/i.test(token.text)) return false
  const isShout = token.text.length > 1 && token.text === token.text.toUpperCase()
  if (isShout && !lexicon.known(token.text) && token.text.length < 4) return ORGANISATION_END.test(token.text)
  return true
}

function joins(tokens: Token[], at: number, text: string, lexicon: Lexicon): boolean {
  const [particle, next] = [tokens[at]!, tokens[at + 1]]
  if (next === undefined || !isNameWord(next, lexicon) || text.slice(particle.end, next.start) !== ' ') return false
  // "Bank of England" is one name, "Ada Lovelace of London" two.
  if (particle.text === 'of') {
    const left = tokens[at - 1]!.text
    return lexicon.isCommon(left) && !lexicon.isFirstName(left)
  }
  return PARTICLE.test(particle.text) || particle.text === '&'
}

/** Takes off what is not the name: a title before it, an everyday word that only opens the sentence. */
function trim(tokens: Token[], lexicon: Lexicon): Candidate[] {
  let titled = false
  let rest = tokens
  const nameOf = (words: Token[]) => words.map((token) => token.text).join(' ')
  while (rest.length > 0 && lexicon.known(nameOf(rest)) === undefined) {
    const [first] = rest
    // "Finnish" says where someone is from; in "Finnish Airlines" it is part of the name.
    const isAttribute = lexicon.isDemonym(first!.text) && !ORGANISATION_END.test(rest.at(-1)!.text)
    if (isAttribute) titled = false
    else if (TITLES.test(first!.text)) titled = true
    else if (!(first!.opens && lexicon.isCommon(first!.text) && !lexicon.isFirstName(first!.text))) break
    // "Harbour Tea Rooms GmbH": what a firm calls itself may be everyday words.
    else if (rest.length > 1 && LEGAL_FORM.test(rest.at(-1)!.text) && !lexicon.isFiller(first!.text)) break
    rest = rest.slice(1)
    while (rest[0]?.text === '.' || PARTICLE.test(rest[0]?.text ?? '')) rest = rest.slice(1)
  }
  while (rest.length > 0 && (rest.at(-1)!.text === '.' || PARTICLE.test(rest.at(-1)!.text))) rest = rest.slice(0, -1)
  if (rest.length === 0) return []
  // Everyday words only, as in headings: no name, unless it ends like an organisation.
  const unknown = rest.filter((token) => token.text.length > 1 && !lexicon.isCommon(token.text))
  const isKnown = lexicon.known(nameOf(rest)) !== undefined
  const isFirm = rest.length > 1 && ORGANISATION_END.test(rest.at(-1)!.text)
  if (unknown.length === 0 && !isKnown && !isFirm && !titled) return []
  return [{ tokens: rest, start: rest[0]!.start, end: rest.at(-1)!.end, titled }]
}

/** "Hawkins, Richardson and Santana": three surnames in a row are a firm when the list is all there is to it. */
function joinFirms(candidates: Candidate[], text: string): Candidate[] {
  const joined: Candidate[] = []
  for (let index = 0; index < candidates.length; index++) {
    const [a, b, c] = candidates.slice(index, index + 3)
    const isList =
      b !== undefined &&
      c !== undefined &&
      text.slice(a!.end, b.start) === ', ' &&
      /^,? (and|&) $/.test(text.slice(b.end, c.start))
    const single = [a, b, c].every((one) => one?.tokens.length === 1)
    const before = text.slice(Math.max(0, a!.start - 24), a!.start)
    const opensLine = /(^|\n\W{0,4})$/.test(before) || /\b(for|from|at|of|with|:)\s$/.test(before)
    if (isList && single && opensLine && !/founders?:\s$/.test(before)) {
      joined.push({ tokens: [...a!.tokens, ...b.tokens, ...c.tokens], start: a!.start, end: c.end, titled: false })
      index += 2
    } else joined.push(a!)
  }
  return joined
}
