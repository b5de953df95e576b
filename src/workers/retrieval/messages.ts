// Between the messages of retrieval.proto, as proto-loader gives them, and the words of this folder. Both ends use it.
import { TroupeError } from '../../contract/errors.ts'
import type { Comparison, Condition, Metadata, MetadataValue, Scalar } from './metadata.ts'

export interface ValueMessage {
  kind?: 'text' | 'number' | 'truth' | 'texts'
  text?: string
  number?: number
  truth?: boolean
  texts?: { values: string[] }
}

export interface DocumentMessage {
  id: string
  text: string
  title: string
  metadata: Record<string, ValueMessage>
}

export interface UpsertRequestMessage {
  tenant: string
  collection: string
  document: DocumentMessage | null
}

export interface UpsertResponseMessage {
  document_id: string
  outcome: 'STORED' | 'REPLACED' | 'UNCHANGED' | 'OUTCOME_UNSPECIFIED'
  passages: number
}

export interface ConditionMessage {
  field: string
  comparison: Comparison | number
  values: ValueMessage[]
}

export interface SearchRequestMessage {
  tenant: string
  collection: string
  query: string
  k?: number
  mode: 'HYBRID' | 'LEXICAL' | 'VECTOR' | number
  filter: ConditionMessage[]
  diversity: number
  vector: number[]
  vector_share?: number
}

export interface HitMessage {
  document_id: string
  passage_id: string
  title: string
  text: string
  start: number
  end: number
  score: number
  metadata: Record<string, ValueMessage>
  highlights: { start: number; end: number }[]
  reason: {
    lexical: {
      rank: number
      score: number
      share: number
      terms: { term: string; frequency: number; passages: number; weight: number }[]
    } | null
    vector: { rank: number; similarity: number; share: number } | null
    likeness?: number
  } | null
  also_in: string[]
}

export interface SearchResponseMessage {
  hits: HitMessage[]
  model: string
  degraded: string
}

export interface CollectionMessage {
  name: string
  documents: number
  passages: number
  model: string
  dimension: number
  embedded: number
  rebuild: { model: string; embedded: number } | null
}

export function metadataOf(message: Record<string, ValueMessage>): Metadata {
  return Object.fromEntries(Object.entries(message).map(([field, value]) => [field, fromValueMessage(field, value)]))
}

export function toMetadataMessage(metadata: Metadata): Record<string, ValueMessage> {
  return Object.fromEntries(Object.entries(metadata).map(([field, value]) => [field, toValueMessage(value)]))
}

export function conditionOf({ field, comparison, values }: ConditionMessage): Condition {
  // An enum value that this server does not know arrives as its number.
  if (typeof comparison === 'number') {
    throw new TroupeError('invalid_request', `the condition on ${field} has the unknown comparison ${comparison}`)
  }
  return { field, comparison, values: values.map((value) => scalarOf(field, value)) }
}

export function toConditionMessage({ field, comparison, values }: Condition): ConditionMessage {
  return { field, comparison, values: values.map(toValueMessage) }
}

function scalarOf(field: string, message: ValueMessage): Scalar {
  const value = fromValueMessage(field, message)
  if (typeof value === 'object') throw new TroupeError('invalid_request', `the condition on ${field} holds a list`)
  return value
}

function fromValueMessage(field: string, message: ValueMessage): MetadataValue {
  switch (message.kind) {
    case 'text':
      return message.text ?? ''
    case 'number':
      return message.number ?? 0
    case 'truth':
      return message.truth ?? false
    case 'texts':
      return message.texts?.values ?? []
    default:
      throw new TroupeError('invalid_request', `metadata ${field} has no value`)
  }
}

function toValueMessage(value: MetadataValue): ValueMessage {
  if (typeof value === 'string') return { text: value }
  if (typeof value === 'number') return { number: value }
  if (typeof value === 'boolean') return { truth: value }
  return { texts: { values: value } }
}
