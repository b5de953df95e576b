// The port of what only the gateway keeps. Tasks are the journal's.
//   store.ts      this file: the port
//   sqlite.ts     gateway.db in the data folder, for one machine
//   postgres.ts   the same tables for many gateways
//   sqlite-documents.ts, postgres-documents.ts   their part that keeps documents
//   sqlite-schedules.ts, postgres-schedules.ts   their part that keeps schedules
//   sqlite-webhooks.ts, postgres-webhooks.ts     their part that keeps webhooks
//   sqlite-audit.ts, sqlite-audit-thread.ts      the audit trail of one machine, written beside the event loop
//   s3-blobs.ts   documents' content in a bucket, for machines that share no disk
//   s3-signature.ts   how its requests are signed
//
// Every read of a tenant's things takes the tenant; another tenant's thing is `undefined`.
import type { CallbackEvent } from '../../contract/callbacks.ts'
import type { AuditDraft, AuditEntry } from '../audit/chain.ts'
import type { Role } from '../auth/principal.ts'
import type { ScheduleRow } from '../schedules/schedule.ts'

export interface GatewayStore extends DocumentStore, ScheduleStore, WebhookStore {
  addKey(key: KeyRow): Promise<void>
  keyByHash(hash: string): Promise<KeyRow | undefined>
  keyById(id: string): Promise<KeyRow | undefined>
  keys(tenant: string, page: { before?: string; limit: number }): Promise<KeyRow[]>
  /** False: the tenant has no such key, or it was revoked before. */
  revokeKey(tenant: string, id: string, at: number): Promise<boolean>

  /**
   * Appends in order, in one transaction; each entry is chained to the one before it, whoever wrote that. Durable: on
   * disk when this resolves, and everything before it. Otherwise a power failure may lose it, a crash does not.
   */
  appendAudit(drafts: AuditDraft[], durable: boolean): Promise<void>
  /** In order, those behind number `after`; without a tenant, everyone's. */
  audit(query: AuditQuery): Promise<AuditEntry[]>

  quota(tenant: string): Promise<Quota | undefined>
  setQuota(tenant: string, quota: Quota): Promise<void>
  /** Of every tenant that has a bound, by name, behind `after`. */
  quotas(page: { after?: string; limit: number }): Promise<{ tenant: string; quota: Quota }[]>

  /** A secret that all gateways on this store share: the first caller's `created` is kept, everyone gets that one. */
  secret(name: string, created: string): Promise<string>

  close(): Promise<void>
}

export interface AuditQuery {
  tenant?: string
  /** Absent: from the beginning of the order. */
  after?: number
  /** `desc`: newest first. */
  order: 'asc' | 'desc'
  limit: number
}

export interface DocumentStore {
  /** If its content is abandoned, it is so no more; if it is being cleared, this waits until it is gone. */
  addDocument(document: DocumentRow): Promise<void>
  document(tenant: string, id: string): Promise<DocumentRow | undefined>
  /** Newest first, older than `before`. */
  documents(tenant: string, page: { before?: string; limit: number }): Promise<DocumentRow[]>
  /** A content that no other document has is abandoned by the same commit. False: the tenant has no such document. */
  removeDocument(tenant: string, id: string): Promise<boolean>
  /**
   * Hands out each abandoned content, one at a time and each to one gateway; what `clear` could not remove stays
   * abandoned, and its error is thrown.
   */
  clearContents(clear: (sha256: string) => Promise<void>): Promise<void>
}

export interface ScheduleStore {
  /** Takes the place of the tenant's schedule of that name, if there is one. */
  putSchedule(schedule: ScheduleRow): Promise<void>
  schedule(tenant: string, name: string): Promise<ScheduleRow | undefined>
  /** By name, behind `after`. */
  schedules(tenant: string, page: { after?: string; limit: number }): Promise<ScheduleRow[]>
  countSchedules(tenant: string): Promise<number>
  removeSchedule(tenant: string, name: string): Promise<boolean>

  /** Everyone's whose time has come, the longest overdue first. */
  dueSchedules(now: number, limit: number): Promise<ScheduleRow[]>
  /** False: it was replaced, removed, or advanced by another gateway since it was read. */
  advanceSchedule(read: ScheduleRow, next: Pick<ScheduleRow, 'nextAt' | 'last'>): Promise<boolean>
  /** Drops those that have no next time and were last fired before a moment. */
  forgetSchedules(before: number): Promise<void>
}

export interface WebhookStore {
  addWebhook(webhook: WebhookRow): Promise<void>
  /** All of a tenant, oldest first; there are few. */
  webhooks(tenant: string): Promise<WebhookRow[]>
  /** False: it was changed or removed since it was read. */
  replaceWebhook(read: WebhookRow, next: WebhookRow): Promise<boolean>
  removeWebhook(tenant: string, id: string): Promise<boolean>
}

export interface WebhookRow {
  id: string
  tenant: string
  url: string
  /** Sealed. */
  secret: string
  /** The secret before, sealed, and until when messages are signed with it as well. */
  old?: { secret: string; until: number }
  events?: CallbackEvent[]
  createdAt: number
  createdBy: string
}

export interface DocumentRow {
  id: string
  tenant: string
  name: string
  mime: string
  bytes: number
  sha256: string
  createdAt: number
  createdBy: string
}

export interface KeyRow {
  id: string
  tenant: string
  name: string
  role: Role
  /** sha256 of the secret, hexadecimal. The secret has 256 random bits, so a slow hash would add nothing but delay. */
  hash: string
  createdAt: number
  createdBy: string
  expiresAt?: number
  revokedAt?: number
  requestsPerSecond?: number
}

/** What a tenant may use up. Absent: no bound. */
export interface Quota {
  tasksPerDay?: number
  tokensPerMonth?: number
  costMicrosPerMonth?: number
}
