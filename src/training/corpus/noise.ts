// What happens to documents on their way to a classifier: scanners misread letters, lines break elsewhere, headings are
// cropped, everything arrives in capitals. A classifier that has only seen clean text trusts its first line too much.
import type { Random } from '../random.ts'

/** What optical character recognition takes one shape for. */
const LOOKALIKES: Record<string, string> = {
  o: '0',
  O: '0',
  '0': 'O',
  l: '1',
  '1': 'l',
  I: 'l',
  i: 'l',
  S: '5',
  '5': 'S',
  B: '8',
  '8': 'B',
  e: 'c',
  c: 'e',
  m: 'rn',
  n: 'ri',
  u: 'ii',
  h: 'b',
  b: 'h',
  t: 'f',
  g: 'q',
  a: 'o',
  ä: 'a',
  ü: 'u',
  ö: 'o',
  ñ: 'n',
  é: 'e',
  '.': ',',
  ',': '.',
}

export function addNoise(text: string, random: Random): string {
  let noisy = text
  if (random.chance(0.15)) noisy = dropFirstLines(noisy, random)
  if (random.chance(0.15)) noisy = takePart(noisy, random)
  if (random.chance(0.2)) noisy = noisy.replace(/\n+/g, random.pick(['\n', ' ', '\n\n', '\r\n']))
  if (random.chance(0.05)) noisy = random.chance(0.7) ? noisy.toUpperCase() : noisy.toLowerCase()
  if (random.chance(0.3)) noisy = misread(noisy, random.pick([0.01, 0.02, 0.05]), random)
  return noisy
}

/** Each letter is misread, lost or followed by a stray space with this probability. */
export function misread(text: string, probability: number, random: Random): string {
  let read = ''
  for (const letter of text) {
    if (!random.chance(probability)) read += letter
    else if (random.chance(0.7)) read += LOOKALIKES[letter] ?? letter
    else if (random.chance(0.5)) read += `${letter} `
  }
  return read
}

function dropFirstLines(text: string, random: Random): string {
  const lines = text.split('\n')
  return lines.length < 5 ? text : lines.slice(1 + random.below(2)).join('\n')
}

function takePart(text: string, random: Random): string {
  const lines = text.split('\n')
  const kept = Math.max(4, Math.ceil(lines.length * (0.5 + random.next() / 2)))
  return lines.slice(0, kept).join('\n')
}
