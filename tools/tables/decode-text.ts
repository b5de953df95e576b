// Bytes to text: a byte order mark decides; then UTF-8 if it is valid; else the Western code page that Excel writes.
import { TroupeError } from '@troupe/sdk'

export function decodeText(content: Uint8Array | string): string {
  const text = typeof content === 'string' ? content : decodeBytes(content)
  if (text.includes('\u0000')) {
    throw new TroupeError('document_unreadable', 'the file is binary, not a table in text form')
  }
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

function decodeBytes(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}
