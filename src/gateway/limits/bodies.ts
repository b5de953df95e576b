// How many bytes of bodies this gateway holds at a time. A body is held whole from its first byte until its answer has
// gone, an answer until its reader has taken it (unread-answers.ts); many large ones at once must show as 503 with Retry-After,
// not as memory that runs out. Small ones are not counted: connections bound them. Uploads are streamed to the blob store.
import type { IncomingHttpHeaders } from 'node:http'
import { TroupeError } from '../../contract/errors.ts'

const SMALL = 64 * 1024

export interface Bodies {
  /** Counts a body until the returned function is called; `overloaded` when too many are held. */
  hold(headers: IncomingHttpHeaders, limit: number): (() => void) | undefined
  /** False: too small to be counted. */
  counts(bytes: number): boolean
  /** Counts so many bytes until the returned function is called; or `overloaded`. */
  take(bytes: number): () => void
  readonly held: number
}

export function createBodies(most: number): Bodies {
  let held = 0

  function take(bytes: number): () => void {
    if (held + bytes > most) {
      throw new TroupeError('overloaded', 'This gateway holds as many large requests as it can; send this one again.')
    }
    held += bytes
    let released = false
    return () => {
      if (!released) held -= bytes
      released = true
    }
  }

  const counts = (bytes: number) => bytes > SMALL

  return {
    take,
    counts,
    hold(headers, limit) {
      // Without a length it may become as long as it may be.
      const bytes = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : limit
      // Longer than allowed: refused unread, by its length.
      return counts(bytes) && bytes <= limit ? take(bytes) : undefined
    },
    get held() {
      return held
    },
  }
}
