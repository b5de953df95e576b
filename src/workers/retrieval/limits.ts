// What a caller may send, checked at the edge before anything is done (P9).
import { TroupeError } from '../../contract/errors.ts'
import { checkMetadata } from './metadata.ts'
import type { DocumentInput } from './prepare.ts'

export const MAX_K = 200
export const DEFAULT_K = 10
export const MAX_QUERY_CHARACTERS = 8_192
/** Different terms of one query that are followed. */
export const MAX_QUERY_TERMS = 128
export const MAX_DOCUMENT_CHARACTERS = 4 * 1024 * 1024
export const MAX_NAME_LENGTH = 128
export const MAX_DOCUMENT_ID_LENGTH = 512
export const MAX_TITLE_LENGTH = 1_024
export const MAX_DELETED_AT_ONCE = 10_000

const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.:@/-]*$/u

export function checkNames(tenant: string, collection: string): void {
  checkName('tenant', tenant)
  checkName('collection', collection)
}

export function checkName(what: 'tenant' | 'collection', name: string): void {
  if (name === '') throw new TroupeError('invalid_request', `${what} is missing`)
  if (name.length > MAX_NAME_LENGTH || !NAME.test(name)) {
    throw new TroupeError(
      'invalid_request',
      `${what} ${JSON.stringify(name.slice(0, 80))}: at most ${MAX_NAME_LENGTH} letters, digits and _ . : @ / - are allowed`,
    )
  }
}

export function checkDocument({ id, text, title, metadata }: DocumentInput): void {
  checkDocumentId(id)
  if (text.trim() === '') throw new TroupeError('invalid_request', `document ${id} has no text`)
  if (text.length > MAX_DOCUMENT_CHARACTERS) {
    throw new TroupeError(
      'value_too_large',
      `document ${id} has ${text.length} characters; the limit is ${MAX_DOCUMENT_CHARACTERS}`,
    )
  }
  if (title.length > MAX_TITLE_LENGTH) {
    throw new TroupeError('value_too_large', `the title of document ${id} is longer than ${MAX_TITLE_LENGTH}`)
  }
  if (title.includes('\0')) throw new TroupeError('invalid_request', `the title of document ${id} contains NUL`)
  checkMetadata(metadata)
}

export function checkDocumentId(id: string): void {
  if (id === '') throw new TroupeError('invalid_request', 'a document has no id')
  if (id.length > MAX_DOCUMENT_ID_LENGTH) {
    throw new TroupeError(
      'invalid_request',
      `document id ${id.slice(0, 40)} … is longer than ${MAX_DOCUMENT_ID_LENGTH}`,
    )
  }
  if (id.includes('\0')) throw new TroupeError('invalid_request', 'a document id contains NUL')
}

export function checkQuery(query: string): void {
  if (query.trim() === '') throw new TroupeError('invalid_request', 'the query is empty')
  if (query.length > MAX_QUERY_CHARACTERS) {
    throw new TroupeError(
      'value_too_large',
      `the query has ${query.length} characters; the limit is ${MAX_QUERY_CHARACTERS}`,
    )
  }
}

export function checkK(k: number): void {
  if (!Number.isInteger(k) || k < 1 || k > MAX_K) {
    throw new TroupeError('invalid_request', `k is ${k}; it must be from 1 to ${MAX_K}`)
  }
}

export function checkShare(what: 'diversity' | 'vector_share', value: number): void {
  if (!(value >= 0 && value <= 1))
    throw new TroupeError('invalid_request', `${what} is ${value}; it must be from 0 to 1`)
}
