// A document as sent becomes a draft as stored: cut, tokenised, hashed. Pure, and heavy: it runs in preparing-thread.ts.
import { createHash } from 'node:crypto'
import { CHUNKING_VERSION, chunk } from './chunking.ts'
import type { Metadata } from './metadata.ts'
import type { DocumentDraft } from './store.ts'
import { tokenise } from './tokens.ts'

export interface DocumentInput {
  id: string
  text: string
  title: string
  metadata: Metadata
}

export function prepare(document: DocumentInput): DocumentDraft {
  const { id, title, metadata } = document
  // Postgres refuses NUL in text. A blank keeps every offset.
  const text = document.text.replaceAll('\0', ' ')
  const tokens = tokenise(text)
  // What a document is called is a good reason to find any of its passages.
  const titleTerms = tokenise(title).map(({ term }) => term)
  const passages = chunk(text, tokens).map(({ start, end, firstToken, lastToken }) => {
    const terms = [...titleTerms, ...tokens.slice(firstToken, lastToken).map(({ term }) => term)]
    const passage = text.slice(start, end)
    return {
      start,
      end,
      text: passage,
      terms: terms.join(' '),
      length: terms.length,
      hash: digest(embeddedText(title, passage)),
    }
  })
  return { id, title, metadata, passages, hash: documentHash(document) }
}

/** What stands for a passage before the embedder. */
export function embeddedText(title: string, text: string): string {
  return title === '' ? text : `${title}\n${text}`
}

export function documentHash({ title, text, metadata }: DocumentInput): string {
  const fields = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
  return digest(JSON.stringify([CHUNKING_VERSION, title, text, fields]))
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
