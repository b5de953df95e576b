// Does a source bear out a claim? Every number and every name of the claim must stand in the source, and most of its
// words in one passage. It cannot prove a claim; it finds those that were made up.
import { readPassages, stem } from './passages.ts'
import { words } from './sentences.ts'
import { stopWords } from './stop-words.ts'

export interface CheckedClaim {
  claim: string
  supported: boolean
  /** The share of its words that the best passage has. */
  coverage: number
  /** Numbers and names of the claim that the source does not have. */
  missing: string[]
  evidence?: { start: number; end: number }
}

const ENOUGH = 0.5

export function checkClaims(source: string, claims: readonly string[], language: string): CheckedClaim[] {
  const stop = stopWords(language)
  const known = new Set(words(source).map((word) => word.text.toLowerCase()))
  const passages = readPassages(source, language)
  const numbers = new Set((source.match(NUMBER) ?? []).map(plainNumber))
  return claims.map((claim) => {
    const missing = [
      ...(claim.match(NUMBER) ?? []).filter((number) => !numbers.has(plainNumber(number))),
      ...names(claim).filter((name) => !known.has(name.toLowerCase())),
    ]
    const content = words(claim)
      .map((word) => word.text.toLowerCase())
      .filter((word) => !stop.has(word))
      .map(stem)
    const [best] = passages.find(claim, 1)
    const passage = new Set(best === undefined ? [] : words(best.text).map((word) => stem(word.text.toLowerCase())))
    const covered = content.filter((word) => passage.has(word)).length
    const coverage = content.length === 0 ? 0 : Number((covered / content.length).toFixed(3))
    const checked: CheckedClaim = { claim, supported: missing.length === 0 && coverage >= ENOUGH, coverage, missing }
    if (best !== undefined) checked.evidence = { start: best.start, end: best.end }
    return checked
  })
}

const NUMBER = /\d+(?:[.,]\d+)*/g

function plainNumber(text: string): string {
  return text.replace(/[.,](?=\d{3}(?:\D|$))/g, '').replace(',', '.')
}

/** Words with a capital that do not begin the sentence. */
function names(claim: string): string[] {
  return Array.from(claim.matchAll(/(?<=[\p{L}\d,;] )\p{Lu}[\p{L}\p{M}]{2,}/gu), (match) => match[0])
}
