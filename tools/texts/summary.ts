// A summary made of the text's own sentences, each with its place, so that nothing in it can be invented. Sentences are
// weighed by how central their words are (a graph of shared words, walked like PageRank), by where they stand, and
// chosen so that they do not say the same thing twice; they are given in the order of the text.
import { type Sentence, splitSentences, words } from './sentences.ts'
import { stopWords } from './stop-words.ts'

export interface SummarySentence extends Sentence {
  score: number
}

/** The graph grows with the square of the sentences: longer texts are thinned evenly first. */
const MOST = 250
const DAMPING = 0.85
const FEW = 3

interface Weighed {
  sentence: Sentence
  index: number
  terms: Map<string, number>
  norm: number
}

export function summarise(
  text: string,
  language: string,
  limit: number,
  breaks: readonly number[] = [],
): SummarySentence[] {
  const prose = splitSentences(text, breaks).filter(isProse)
  // Where there are whole sentences, a line without an end (an address, a caption) is none.
  const whole = prose.filter((sentence) => /[.!?…。！？]["'”’»)\]]*$/.test(sentence.text))
  const all = whole.length >= FEW ? whole : prose
  const step = Math.max(1, all.length / MOST)
  const thinned = Array.from({ length: Math.min(all.length, MOST) }, (_, index) => all[Math.floor(index * step)]!)
  const weighed = weigh(thinned, stopWords(language))
  if (weighed.length === 0) return fallback(text, limit)
  const similar = similarities(weighed)
  const rank = pageRank(similar)
  const score = rank.map((value, index) => value * position(index, weighed.length))
  return choose(weighed, similar, score, limit)
}

/** Lines of a table, headings and page numbers are no sentences. */
function isProse({ text }: Sentence): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  const spaces = text.match(/\s+/g)?.length ?? 0
  return text.length >= 30 && text.length <= 600 && letters > text.length * 0.55 && spaces >= 4 && !/[\t|]/.test(text)
}

/** A text without prose still has a beginning. */
function fallback(text: string, limit: number): SummarySentence[] {
  return splitSentences(text.slice(0, 20_000))
    .filter((sentence) => sentence.text.length <= 600)
    .slice(0, limit)
    .map((sentence) => ({ ...sentence, score: 0 }))
}

function weigh(sentences: Sentence[], stop: Set<string>): Weighed[] {
  const documents = new Map<string, number>()
  const bags = sentences.map((sentence) => {
    const bag = new Map<string, number>()
    for (const { text } of words(sentence.text)) {
      const word = text.toLowerCase()
      if (!stop.has(word) && word.length > 1) bag.set(word, (bag.get(word) ?? 0) + 1)
    }
    for (const word of bag.keys()) documents.set(word, (documents.get(word) ?? 0) + 1)
    return bag
  })
  return bags.flatMap((bag, index) => {
    const terms = new Map<string, number>()
    for (const [word, count] of bag) terms.set(word, count * Math.log(1 + sentences.length / documents.get(word)!))
    const norm = Math.sqrt([...terms.values()].reduce((sum, value) => sum + value * value, 0))
    return norm === 0 ? [] : [{ sentence: sentences[index]!, index, terms, norm }]
  })
}

/** The same in both directions, so each pair is compared once. */
function similarities(weighed: Weighed[]): number[][] {
  const similar = weighed.map(() => new Array<number>(weighed.length).fill(0))
  for (let one = 0; one < weighed.length; one++) {
    for (let other = one + 1; other < weighed.length; other++) {
      const value = cosine(weighed[one]!, weighed[other]!)
      similar[one]![other] = value
      similar[other]![one] = value
    }
  }
  return similar
}

function cosine(a: Weighed, b: Weighed): number {
  let sum = 0
  const [small, large] = a.terms.size < b.terms.size ? [a.terms, b.terms] : [b.terms, a.terms]
  for (const [word, value] of small) sum += value * (large.get(word) ?? 0)
  return sum / (a.norm * b.norm)
}

function pageRank(similar: number[][]): number[] {
  const size = similar.length
  const totals = similar.map((row) => row.reduce((sum, value) => sum + value, 0))
  let rank = new Array<number>(size).fill(1 / size)
  for (let round = 0; round < 30; round++) {
    const next = new Array<number>(size).fill((1 - DAMPING) / size)
    for (let from = 0; from < size; from++) {
      if (totals[from] === 0) continue
      for (let to = 0; to < size; to++) next[to]! += (DAMPING * rank[from]! * similar[from]![to]!) / totals[from]!
    }
    rank = next
  }
  return rank
}

/** Writers say what matters first, and again at the end. */
function position(index: number, size: number): number {
  if (index === 0) return 1.6
  const place = index / size
  return place < 0.15 ? 1.3 : place > 0.9 ? 1.1 : 1
}

function choose(weighed: Weighed[], similar: number[][], score: number[], limit: number): SummarySentence[] {
  const order = score.map((_, index) => index).sort((a, b) => score[b]! - score[a]!)
  const chosen: number[] = []
  for (const index of order) {
    if (chosen.length >= limit) break
    if (chosen.every((other) => similar[index]![other]! < 0.6)) chosen.push(index)
  }
  const best = Math.max(...chosen.map((index) => score[index]!))
  return chosen
    .sort((a, b) => weighed[a]!.sentence.start - weighed[b]!.sentence.start)
    .map((index) => ({ ...weighed[index]!.sentence, score: Number((score[index]! / best).toFixed(3)) }))
}
