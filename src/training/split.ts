// What is held out is decided by the text itself, not by its place in the file: every version of a model holds out the
// same texts, so the next one can be compared with the live one on examples that neither has seen.
import { createHash } from 'node:crypto'

export interface Example {
  text: string
  label: string
}

export function isHeldOut(text: string, share: number): boolean {
  const hash = createHash('sha256').update(text).digest()
  return hash.readUInt32LE(0) / 4294967296 < share
}

/** One digest for the whole data set, in its order. */
export function hashExamples(examples: readonly { text: string; label?: string }[]): string {
  const hash = createHash('sha256')
  for (const { text, label } of examples) hash.update(`${JSON.stringify([text, label ?? null])}\n`)
  return hash.digest('hex')
}
