// Bytes to text, by the same judgement as for documents (documents/encoding.ts): a table from Kyiv or Tokyo has names too.
import { TroupeError } from '@troupe/sdk'
import { decodeText as decodeBytes } from '../documents/encoding.ts'

export function decodeText(content: Uint8Array | string): string {
  const text = typeof content === 'string' ? content : decodeBytes(content).text
  if (text.includes('\u0000')) {
    throw new TroupeError('document_unreadable', 'the file is binary, not a table in text form')
  }
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}
