// A chart's title in lines that fit. The library that draws measures text by the letters of another font, and cuts off in
// the middle of a word what it takes for short enough; so the lines are made here.

/** Widths in ems, of DejaVu Sans Bold: wider than what else may be there, so that a line never gets too long. */
const NARROW = /[ijlI.,:;'’!|()[\]{}ftr\-/\\ ]/
const WIDE = /[mwMW@%—…&]/
const EM = { narrow: 0.44, wide: 1.06, capital: 0.8, other: 0.72, full: 1.05 }
/** CJK, Hangul, full-width forms, emoji. */
const FULL_WIDTH =
  /[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\u{1f300}-\u{1faff}]/u

export const MOST_LINES = 3

export function titleLines(title: string, width: number, fontSize: number): string[] {
  const fits = (text: string): boolean => emsOf(text) * fontSize <= width
  const lines: string[] = []
  let line = ''
  for (const word of title
    .split(/\s+/)
    .filter(Boolean)
    .flatMap((long) => pieces(long, fits))) {
    const longer = line === '' ? word : `${line} ${word}`
    if (fits(longer)) {
      line = longer
      continue
    }
    lines.push(line)
    line = word
  }
  if (line !== '') lines.push(line)
  if (lines.length <= MOST_LINES) return lines
  const kept = lines.slice(0, MOST_LINES)
  kept[MOST_LINES - 1] = shortened(kept[MOST_LINES - 1]!, fits)
  return kept
}

function emsOf(text: string): number {
  let ems = 0
  for (const letter of text) ems += widthOf(letter)
  return ems
}

function widthOf(letter: string): number {
  if (FULL_WIDTH.test(letter)) return EM.full
  if (NARROW.test(letter)) return EM.narrow
  if (WIDE.test(letter)) return EM.wide
  return letter === letter.toLowerCase() ? EM.other : EM.capital
}

/** A word that is longer than a line is broken where the line ends. */
function pieces(word: string, fits: (text: string) => boolean): string[] {
  const found: string[] = []
  let piece = ''
  for (const letter of word) {
    if (piece !== '' && !fits(piece + letter)) {
      found.push(piece)
      piece = ''
    }
    piece += letter
  }
  return [...found, piece]
}

function shortened(line: string, fits: (text: string) => boolean): string {
  const letters = [...line]
  while (letters.length > 1 && !fits(`${letters.join('').trimEnd()}…`)) letters.pop()
  return `${letters.join('').trimEnd()}…`
}
