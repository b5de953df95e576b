// The passages of one text that answer a question best, by BM25 over windows of sentences: what an agent cites when
// no collection is asked and no LLM is configured.
import { splitSentences, words } from './sentences.ts'
import { stopWords } from './stop-words.ts'

export interface TextPassage {
  text: string
  start: number
  end: number
  score: number
}

const WINDOW = 700
const MOST = 20_000
const K = 1.2
const B = 0.6

/** No passage crosses one of the `breaks`, such as where pages begin. */
export function findPassages(
  text: string,
  question: string,
  language: string,
  limit: number,
  breaks: readonly number[] = [],
): TextPassage[] {
  const stop = stopWords(language)
  const asked = [...new Set(terms(question, stop))]
  if (asked.length === 0) return []
  const windows = cutWindows(text, breaks)
  const bags = windows.map((window) => count(terms(text.slice(window.start, window.end), stop)))
  const average = bags.reduce((sum, bag) => sum + bag.length, 0) / Math.max(1, bags.length)
  const weights = asked.map((term) => {
    const having = bags.filter((bag) => bag.counts.has(term)).length
    return Math.log(1 + (bags.length - having + 0.5) / (having + 0.5))
  })
  return windows
    .map((window, index) => {
      const { counts, length } = bags[index]!
      const score = asked.reduce((sum, term, at) => {
        const times = counts.get(term) ?? 0
        return sum + (weights[at]! * times * (K + 1)) / (times + K * (1 - B + (B * length) / average))
      }, 0)
      return { text: text.slice(window.start, window.end), ...window, score: Number(score.toFixed(4)) }
    })
    .filter((passage) => passage.score > 0)
    .sort((a, b) => b.score - a.score || a.start - b.start)
    .slice(0, limit)
}

function cutWindows(text: string, breaks: readonly number[]): { start: number; end: number }[] {
  const windows: { start: number; end: number }[] = []
  let nextBreak = 0
  for (const { start, end } of splitSentences(text, breaks)) {
    const last = windows.at(-1)
    let crosses = false
    while (nextBreak < breaks.length && breaks[nextBreak]! <= start) {
      nextBreak += 1
      crosses = true
    }
    if (last !== undefined && !crosses && end - last.start <= WINDOW) last.end = end
    else windows.push({ start, end })
    if (windows.length >= MOST) break
  }
  return windows
}

function terms(text: string, stop: Set<string>): string[] {
  return words(text)
    .map((word) => word.text.toLowerCase())
    .filter((word) => !stop.has(word))
    .map(stem)
}

/** A light stemmer for matching only; nobody sees its words. */
export function stem(word: string): string {
  return word.length > 4 ? word.replace(/(?:ies|ied)$/, 'y').replace(/(?:ing|edly|ed|es|s|ly|en|er)$/, '') : word
}

function count(all: string[]): { counts: Map<string, number>; length: number } {
  const counts = new Map<string, number>()
  for (const term of all) counts.set(term, (counts.get(term) ?? 0) + 1)
  return { counts, length: all.length }
}
