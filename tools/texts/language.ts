// Which language a text is in. Samples from its start, middle and end, so that a foreign quotation at the top or a
// table of numbers does not decide for the whole.
import { detectAll } from 'tinyld'

export interface DetectedLanguage {
  /** ISO 639-1, or "und" when the text is too short or too strange to say. */
  language: string
  confidence: number
  others: { language: string; confidence: number }[]
}

const SAMPLE = 2_000

export function detectLanguage(text: string): DetectedLanguage {
  const points = new Map<string, number>()
  for (const sample of samples(text)) {
    const found = detectAll(sample)
    for (const { lang, accuracy } of found.filter((one) => hasScript(sample, one.lang)))
      points.set(lang, (points.get(lang) ?? 0) + accuracy)
  }
  const ranked = [...points].sort((a, b) => b[1] - a[1])
  const sum = ranked.reduce((all, [, value]) => all + value, 0)
  const letters = text.slice(0, 1_000).match(/\p{L}/gu)?.length ?? 0
  const [first] = ranked
  if (first === undefined || letters < 8) return { language: 'und', confidence: 0, others: [] }
  const share = (value: number) => Number((sum === 0 ? 0 : value / sum).toFixed(3))
  return {
    language: first[0],
    // A short text proves little, however clear the winner.
    confidence: Number((share(first[1]) * Math.min(1, letters / 40)).toFixed(3)),
    others: ranked.slice(1, 4).map(([language, value]) => ({ language, confidence: share(value) })),
  }
}

/** Languages that are not written in Latin letters, and the letters they cannot do without. */
const SCRIPTS: [languages: RegExp, letters: RegExp][] = [
  [/^(ru|uk|be|bg|sr|mk|kk|ky|tt|mn|tg)$/, /\p{Script=Cyrillic}/gu],
  [/^(zh|ja)$/, /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  [/^ko$/, /\p{Script=Hangul}/gu],
  [/^(ar|fa|ur|ps)$/, /\p{Script=Arabic}/gu],
  [/^(he|yi)$/, /\p{Script=Hebrew}/gu],
  [/^(hi|mr|ne)$/, /\p{Script=Devanagari}/gu],
  [/^el$/, /\p{Script=Greek}/gu],
  [/^th$/, /\p{Script=Thai}/gu],
  [/^(bn|ta|te|gu|kn|ml|pa|si|my|km|lo|ka|hy|am)$/, /[\u0980-\u10ff\u1200-\u137f\u1780-\u17ff\u0530-\u058f]/gu],
]

/** Spelled in Latin letters a foreign word list can look like Hindi; but Hindi is not written so. */
function hasScript(sample: string, language: string): boolean {
  const letters = SCRIPTS.find(([languages]) => languages.test(language))?.[1]
  return letters === undefined || (sample.match(letters)?.length ?? 0) > sample.length * 0.1
}

function samples(text: string): string[] {
  const prose = text
    .slice(0, 400_000)
    // An address is looked for at a word's beginning only: from each letter on, a long word would take its length squared.
    .replace(/https?:\S+|(?<!\S)\S+@\S+|\d+/g, ' ')
    .replace(/\s+/g, ' ')
  if (prose.length <= SAMPLE) return [prose]
  const middle = Math.floor((prose.length - SAMPLE) / 2)
  return [prose.slice(0, SAMPLE), prose.slice(middle, middle + SAMPLE), prose.slice(-SAMPLE)]
}
