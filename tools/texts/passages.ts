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
const LONGEST_HEADING = 60
const MOST = 20_000
const K = 1.2
const B = 0.6
/** The weight of a passage without a number where the question asks for one. */
const LACKING = 0.6

export interface Passages {
  /** The best first. */
  find(question: string, limit: number): TextPassage[]
}

/** The text is read once, however much is asked of it. No passage crosses one of the `breaks`, such as where pages begin. */
export function readPassages(
  text: string,
  language: string,
  breaks: readonly number[] = [],
  window = WINDOW,
): Passages {
  const stop = stopWords(language)
  const windows = cutWindows(text, breaks, window)
  const bags = windows.map((window) => count(terms(text.slice(window.from, window.end), stop)))
  const average = bags.reduce((sum, bag) => sum + bag.length, 0) / Math.max(1, bags.length)

  function find(question: string, limit: number): TextPassage[] {
    const asked = [...new Set(terms(question, stop))]
    if (asked.length === 0) return []
    const expected = expectedBy(question)
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
        const shown = text.slice(window.start, window.end)
        const fits = expected === undefined || expected.test(shown) ? 1 : LACKING
        return { text: shown, start: window.start, end: window.end, score: Number((score * fits).toFixed(4)) }
      })
      .filter((passage) => passage.score > 0)
      .sort((a, b) => b.score - a.score || a.start - b.start)
      .slice(0, limit)
  }
  return { find }
}

/** What the answer to such a question has in it. */
function expectedBy(question: string): RegExp | undefined {
  return /\bhow (?:much|many|long|high|large|big|old|far)\b|\bwhen\b|\bwh(?:at|ich) (?:date|day|month|year|amount|price|number|percentage)\b/i.test(
    question,
  )
    ? /\d/
    : undefined
}

interface Window {
  start: number
  end: number
  /** Where the heading above it begins: what it says counts for its first sentence, which stands for both. */
  from: number
}

function cutWindows(text: string, breaks: readonly number[], most: number): Window[] {
  const windows: Window[] = []
  let heading: number | undefined
  let nextBreak = 0
  for (const { start, end } of splitSentences(text, breaks)) {
    const last = windows.at(-1)
    let crosses = false
    while (nextBreak < breaks.length && breaks[nextBreak]! <= start) {
      nextBreak += 1
      crosses = true
    }
    if (last !== undefined && !crosses && end - last.start <= most) last.end = end
    else if (most === 0 && end - start < LONGEST_HEADING && !/[.!?…:"”)]$/.test(text.slice(start, end)))
      heading ??= start
    else {
      windows.push({ start, end, from: heading ?? start })
      heading = undefined
    }
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

const IRREGULAR: Record<string, string> = Object.assign(Object.create(null), {
  paid: 'pay', sold: 'sell', bought: 'buy', made: 'make', sent: 'send', held: 'hold', kept: 'keep', met: 'meet', wrote: 'write',
  written: 'write', gave: 'give', given: 'give', led: 'lead', built: 'build', said: 'say', won: 'win', lost: 'lose', grew: 'grow', grown: 'grow',
}) // biome-ignore format: a table

/** A light stemmer for matching only; nobody sees its words. */
export function stem(given: string): string {
  const word = IRREGULAR[given] ?? given
  if (word.length <= 4) return word.replace(/(?<=[^s])s$/, '')
  return word
    .replace(/(?:ies|ied)$/, 'y')
    .replace(/(?:ing|edly|ed|es|s|ly|en|er)$/, '')
    .replace(/e$/, '')
}

function count(all: string[]): { counts: Map<string, number>; length: number } {
  const counts = new Map<string, number>()
  for (const term of all) counts.set(term, (counts.get(term) ?? 0) + 1)
  return { counts, length: all.length }
}
