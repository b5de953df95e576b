// What a text is about: words and short phrases that come back, stand early and are not everybody's words. Phrases
// never cross a sentence or a stop word; a phrase inside a longer one that is as frequent is dropped.
import { splitSentences, words } from './sentences.ts'
import { stopWords } from './stop-words.ts'

export interface KeyPhrase {
  text: string
  /** 0 to 1, relative to the best. */
  score: number
  count: number
  /** Where it first stands. */
  start: number
  end: number
}

interface Seen {
  text: string
  count: number
  start: number
  length: number
}

const READ = 400_000
const LONGEST = 4
/** So many phrases that come back are enough to leave out those that do not. */
const FEW = 5

export function findKeyPhrases(text: string, language: string, limit: number): KeyPhrase[] {
  const read = text.slice(0, READ)
  const seen = countPhrases(read, stopWords(language))
  const byWord = new Map<string, number>()
  for (const [key, { count, length }] of seen) if (length === 1) byWord.set(key, count)
  const scored = [...seen].map(([key, phrase]) => {
    const parts = key.split(' ')
    const weight = parts.reduce((sum, part) => sum + Math.log1p(byWord.get(part) ?? 1), 0) / parts.length
    const early = 1 + 0.5 * Math.exp(-phrase.start / 2_000)
    // Two and three words say more than one; a phrase seen once is chance, unless the text is short.
    const shape = phrase.length === 1 ? 0.7 : phrase.length === 4 ? 0.9 : 1.15
    const rare = phrase.count === 1 && phrase.length > 1 ? 0.6 : 1
    return { key, phrase, score: weight * Math.log1p(phrase.count) * early * shape * rare }
  })
  scored.sort((a, b) => b.score - a.score || a.phrase.start - b.phrase.start)
  return choose(withoutParts(scored), limit)
}

function countPhrases(text: string, stop: Set<string>): Map<string, Seen> {
  const seen = new Map<string, Seen>()
  for (const sentence of splitSentences(text)) {
    let run: { text: string; start: number; end: number }[] = []
    const note = () => {
      for (let from = 0; from < run.length; from++) {
        for (let to = from; to < Math.min(run.length, from + LONGEST); to++) {
          const [first, last] = [run[from]!, run[to]!]
          const shown = sentence.text.slice(first.start, last.end)
          const key = run
            .slice(from, to + 1)
            .map((word) => stem(word.text.toLowerCase()))
            .join(' ')
          const known = seen.get(key)
          if (known === undefined)
            seen.set(key, { text: shown, count: 1, start: sentence.start + first.start, length: to - from + 1 })
          else {
            known.count += 1
            // A heading in capitals is not how the text itself says it.
            if (known.text === known.text.toUpperCase() && shown !== shown.toUpperCase()) {
              known.text = shown
              known.start = sentence.start + first.start
            }
          }
        }
      }
      run = []
    }
    for (const word of words(sentence.text)) {
      const isContent = !stop.has(word.text.toLowerCase()) && /\p{L}{2}/u.test(word.text) && word.text.length < 40
      const last = run.at(-1)
      // Only a space stands between the words of a phrase.
      if (last !== undefined && (!isContent || !/^\s{1,2}$/.test(sentence.text.slice(last.end, word.start)))) note()
      if (isContent) run.push(word)
    }
    note()
    if (seen.size > 200_000) break
  }
  return seen
}

/** Only the plural is folded: a stemmer would show people words that do not exist. */
function stem(word: string): string {
  return word.length > 4 && /[^su]s$/.test(word) ? word.slice(0, -1) : word
}

interface Scored {
  key: string
  phrase: Seen
  score: number
}

/** A phrase that only ever stands inside a longer one is a part of it; what stands once is chance, where more comes back. */
function withoutParts(scored: Scored[]): Scored[] {
  const parts = new Set<string>()
  for (const { key, phrase } of scored) {
    if (phrase.length === 1 || phrase.count === 1) continue
    const words = key.split(' ')
    for (let from = 0; from < words.length; from++) {
      for (let to = from + 1; to <= words.length; to++) {
        if (to - from < words.length) parts.add(`${words.slice(from, to).join(' ')}|${phrase.count}`)
      }
    }
  }
  const whole = scored.filter(({ key, phrase }) => !parts.has(`${key}|${phrase.count}`))
  const telling = whole.filter(({ phrase }) => phrase.count > 1)
  return telling.length >= FEW ? telling : whole
}

function choose(scored: Scored[], limit: number): KeyPhrase[] {
  const chosen: Scored[] = []
  for (const one of scored) {
    if (chosen.length >= limit) break
    const overlapping = chosen.some(
      ({ key }) => ` ${key} `.includes(` ${one.key} `) || ` ${one.key} `.includes(` ${key} `),
    )
    if (!overlapping) chosen.push(one)
  }
  const best = chosen[0]?.score ?? 1
  return chosen.map(({ phrase, score }) => ({
    text: phrase.text.replace(/\s+/g, ' '),
    score: Number((score / best).toFixed(3)),
    count: phrase.count,
    start: phrase.start,
    end: phrase.start + phrase.text.length,
  }))
}
