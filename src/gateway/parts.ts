// What the gateway is given, and what it makes of it for its doors. The optional parts are ports of other rooms: without
// one, its routes answer `unavailable` and say which part is missing.
import type { Logger } from 'pino'
import type { Bus } from '../bus/bus.ts'
import type { TroupeError } from '../contract/errors.ts'
import type { Desk } from '../desk/desk.ts'
import type { AgentDirectory } from '../desk/directory.ts'
import type { BlobStore } from '../journal/blobs.ts'
import type { Journal } from '../journal/journal.ts'
import type { AbandonedContents } from './abandoned-contents.ts'
import type { AuditTrail } from './audit/trail.ts'
import type { ApiKeys } from './auth/api-keys.ts'
import type { OwnTokens } from './auth/own-tokens.ts'
import type { Callbacks } from './callbacks/callbacks.ts'
import type { GatewayConfig } from './config.ts'
import type { Cursors } from './cursor.ts'
import type { Documents } from './documents.ts'
import type { Quotas } from './limits/quotas.ts'
import type { Metrics } from './metrics.ts'
import type { Schedules } from './schedules/schedules.ts'
import type { Screening } from './screening/screening.ts'
import type { GatewayStore } from './store/store.ts'
import type { Streams } from './streams.ts'

export interface GatewayParts {
  desk: Desk
  journal: Journal
  bus: Bus
  agents: AgentDirectory
  blobs: BlobStore
  store: GatewayStore
  /** Why the journal takes no writes now, if space is what it lacks. Absent: nobody watches. */
  outOfSpace?(): TroupeError | undefined
  config?: Partial<GatewayConfig>
  supervision?: SupervisionPort
  retrieval?: RetrievalPort
  telemetry?: TelemetryPort
}

/** The live tree of every process that answers, and the order to restart a child. */
export interface SupervisionPort {
  tree(): Promise<SupervisedNode>
  restart(path: string): Promise<void>
}

export interface SupervisedNode {
  id: string
  path: string
  type: 'worker' | 'supervisor'
  restart: 'permanent' | 'transient' | 'temporary'
  state: 'starting' | 'running' | 'waiting' | 'stopping' | 'stopped'
  restarts: number
  uptime?: number | undefined
  lastError?: string | undefined
  facts?: Record<string, string | number> | undefined
  children?: SupervisedNode[] | undefined
}

/** The retrieval worker, for a tenant. */
export interface RetrievalPort {
  upsert(tenant: string, collection: string, documents: PassageSource[]): Promise<{ passages: number }>
  search(tenant: string, collection: string, query: string, options: SearchQuery): Promise<FoundPassage[]>
  remove(tenant: string, collection: string, documentIds: string[]): Promise<void>
  /** False: the tenant has no such collection. */
  removeCollection(tenant: string, collection: string): Promise<boolean>
  collections(tenant: string): Promise<{ name: string; documents: number; passages: number }[]>
  /** The text of a stored document that is not plain text: PDF, DOCX … Absent: only text can be indexed by id. */
  textOf?(document: { name: string; mime: string; content: Uint8Array }): Promise<string>
}

export interface PassageSource {
  documentId: string
  text: string
  title?: string
  metadata?: Record<string, string | number | boolean>
}

export interface SearchQuery {
  limit: number
  mode: 'hybrid' | 'lexical' | 'vector'
  filter?: Record<string, string | number | boolean>
}

export interface FoundPassage {
  documentId: string
  passageId: string
  text: string
  start: number
  end: number
  score: number
  metadata: Record<string, string | number | boolean>
  highlights: { start: number; end: number }[]
}

/** Times in milliseconds since 1970. */
export interface KeptSpan {
  id: string
  parent?: string
  name: string
  startedAt: number
  /** Absent while it goes on. */
  endedAt?: number
  error?: string
  attributes: Record<string, string | number>
}

export interface TelemetryPort {
  /** Runs `work` in a span; gives the W3C traceparent that a task accepted within should carry. */
  span<Result>(
    name: string,
    attributes: Record<string, string | number | boolean>,
    parent: string | undefined,
    work: (traceparent: string | undefined) => Promise<Result>,
  ): Promise<Result>
  /** The kept spans of one task, oldest first. */
  trace?(tenant: string, taskId: string): Promise<KeptSpan[]>
  /** More lines for /metrics, in Prometheus text format. */
  metrics?(): Promise<string>
}

/** Everything a door may use. */
export interface GatewayContext extends Omit<GatewayParts, 'config'> {
  config: GatewayConfig
  log: Logger
  keys: ApiKeys
  tokens: OwnTokens
  audit: AuditTrail
  quotas: Quotas
  schedules: Schedules
  callbacks: Callbacks
  screening: Screening
  documents: Documents
  abandonedContents: AbandonedContents
  cursors: Cursors
  metrics: Metrics
  streams: Streams
}
