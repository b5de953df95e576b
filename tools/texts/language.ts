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
  let total = 0
  for (const sample of samples(text)) {
    const found = detectAll(sample)
    total += 1
    for (const { lang, accuracy } of found) points.set(lang, (points.get(lang) ?? 0) + accuracy)
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

function samples(text: string): string[] {
  const prose = text
    .slice(0, 400_000)
    .replace(/https?:\S+|\S+@\S+|\d+/g, ' ')
    .replace(/\s+/g, ' ')
  if (prose.length <= SAMPLE) return [prose]
  const middle = Math.floor((prose.length - SAMPLE) / 2)
  return [prose.slice(0, SAMPLE), prose.slice(middle, middle + SAMPLE), prose.slice(-SAMPLE)]
}
