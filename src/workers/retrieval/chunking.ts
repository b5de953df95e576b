// A document is cut into passages at its own joints: headings and blank lines first, then sentences, and only inside a
// sentence without end at a word. Neighbours overlap by whole sentences, so that what is said across a joint is found.
// Pure: the same text gives the same passages, which is what makes an interrupted ingest repeatable.
import type { Token } from './tokens.ts'

export interface ChunkLimits {
  /** Tokens of a passage, and of the part it repeats from the one before. */
  tokens: number
  overlap: number
  /** A heading opens a new passage once the current one has this many tokens; tiny sections share one. */
  section: number
}

/** About a page of an abstract: large enough to answer from, small enough to cite. */
export const CHUNK_LIMITS: ChunkLimits = { tokens: 320, overlap: 40, section: 80 }

export interface Chunk {
  /** Offsets into the document. */
  start: number
  end: number
  /** The document's tokens that lie inside: from (inclusive) and to (exclusive). */
  firstToken: number
  lastToken: number
}

/** Changes when the same text would be cut otherwise: then stored documents count as changed. */
export const CHUNKING_VERSION = 1

export function chunk(text: string, tokens: readonly Token[], limits: ChunkLimits = CHUNK_LIMITS): Chunk[] {
  const chunks: Chunk[] = []
  let open: Piece[] = []
  let size = 0
  let fresh = false
  const close = (): void => {
    if (fresh) chunks.push(join(open))
    fresh = false
  }
  for (const piece of pieces(text, tokens, limits)) {
    const count = piece.lastToken - piece.firstToken
    const full = size + count > limits.tokens
    const section = piece.opensSection && size >= limits.section
    if (fresh && (full || section)) {
      close()
      // A section starts clean; inside one, the last sentences are repeated.
      open = section ? [] : tail(open, Math.min(limits.overlap, limits.tokens - count))
      size = open.reduce((sum, part) => sum + part.lastToken - part.firstToken, 0)
    }
    open.push(piece)
    size += count
    fresh = true
  }
  close()
  return chunks
}

interface Piece extends Chunk {
  opensSection: boolean
}

function join(parts: readonly Piece[]): Chunk {
  const first = parts[0]!
  const last = parts[parts.length - 1]!
  return { start: first.start, end: last.end, firstToken: first.firstToken, lastToken: last.lastToken }
}

function tail(parts: readonly Piece[], overlap: number): Piece[] {
  let from = parts.length
  let size = 0
  while (from > 0) {
    const part = parts[from - 1]!
    size += part.lastToken - part.firstToken
    if (size > overlap) break
    from--
  }
  return parts.slice(from)
}

const BLOCK = /[^\n]+(?:\n(?![ \t\r]*\n)(?!#{1,6}[ \t])[^\n]+)*/g
const HEADING = /^\s*(?:#{1,6}[ \t]|\d+(?:\.\d+)*\.?[ \t]+\p{Lu}[^\n.]{0,80}$)/u
const sentences = new Intl.Segmenter('en', { granularity: 'sentence' })

// Sentences in order, none without a token, none longer than a passage may be.
function* pieces(text: string, tokens: readonly Token[], limits: ChunkLimits): Generator<Piece> {
  let token = 0
  for (const block of text.matchAll(BLOCK)) {
    let opensSection = HEADING.test(block[0])
    for (const { segment, index } of sentences.segment(block[0])) {
      const trimmedStart = block.index + index + (segment.length - segment.trimStart().length)
      const end = block.index + index + segment.trimEnd().length
      const firstToken = token
      while (token < tokens.length && tokens[token]!.start < end) token++
      for (let from = firstToken; from < token; from += limits.tokens) {
        const to = Math.min(from + limits.tokens, token)
        yield {
          start: from === firstToken ? trimmedStart : tokens[from]!.start,
          end: to === token ? end : tokens[to]!.start,
          firstToken: from,
          lastToken: to,
          opensSection,
        }
        opensSection = false
      }
    }
  }
}
