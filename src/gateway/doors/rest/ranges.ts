// One byte range of a download (RFC 9110 §14): a player that seeks, a download that goes on.

export interface ByteRange {
  start: number
  /** Inclusive. */
  end: number
}

/** Undefined: the whole. A header we do not understand, or several ranges, may be answered with the whole. */
export function parseRange(header: string | undefined, size: number): ByteRange | 'outside' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '')
  if (match === null) return undefined
  const [, first, last] = match
  if (first === '' && last === '') return undefined
  if (first === '') {
    // The last N bytes.
    const length = Math.min(Number(last), size)
    return length === 0 ? 'outside' : { start: size - length, end: size - 1 }
  }
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (start >= size) return 'outside'
  return start > end ? undefined : { start, end }
}
