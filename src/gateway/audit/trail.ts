// Writes the audit trail in batches: a task accepted must not wait for an fsync of its audit entry, and the entries of
// a second share one. What changes who may do what (keys, quotas, restarts) waits until its entry is on disk.
import type { Logger } from 'pino'
import { TroupeError } from '../../contract/errors.ts'
import type { Principal } from '../auth/principal.ts'
import type { AuditQuery, GatewayStore } from '../store/store.ts'
import { type AuditDraft, type AuditEntry, CHAIN_START, type ChainVerdict, verifyChain } from './chain.ts'

const FLUSH_MS = 100
const BATCH = 1_000
/** A power failure can lose the entries of this long. */
const DURABLE_EVERY_MS = 1_000
/** Entries that wait for the store; above it, changes are refused rather than made without a trace. */
const MAX_WAITING = 20_000
const PAGE = 1_000

export interface AuditTrail {
  /** Throws `overloaded` when entries cannot be kept: call it before a change is made. */
  checkRoom(): void
  record(draft: AuditDraft): void
  /** Resolves when everything recorded so far is on disk. */
  flush(): Promise<void>
  read(query: AuditQuery): Promise<AuditEntry[]>
  /** Reads the whole chain. */
  verify(): Promise<ChainVerdict>
  close(): Promise<void>
}

/** For doors where a request is more than one act. */
export function actOf(
  { tenant, subject }: Principal,
  requestId: string,
  act: { action: string; target: string; status: number; detail?: Record<string, string> | undefined },
): AuditDraft {
  const { detail, ...what } = act
  const draft = { at: Date.now(), tenant, subject, requestId, ...what }
  return detail === undefined ? draft : { ...draft, detail }
}

export function createAuditTrail(store: GatewayStore, log: Logger): AuditTrail {
  let waiting: AuditDraft[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let durableAt = Number.NEGATIVE_INFINITY
  let durableWanted = false
  let closed = false

  function schedule(): void {
    // A request that broke off while the gateway closed is recorded too late for the store.
    if (closed) return
    timer ??= setTimeout(() => {
      timer = undefined
      void writeAll().catch((error) => log.error({ err: error }, 'the audit trail cannot be written; trying again'))
    }, FLUSH_MS)
  }

  /** One writer at a time: the order of entries is the order in which they were recorded. */
  function writeAll(): Promise<void> {
    const next = writing.catch(() => {}).then(writeWaiting)
    writing = next
    return next
  }

  /** Takes what waits now; what comes meanwhile is the next one's, so that a wish for durability covers its own entry. */
  async function writeWaiting(): Promise<void> {
    const durable = durableWanted || performance.now() - durableAt >= DURABLE_EVERY_MS
    durableWanted = false
    for (let left = waiting.length; left > 0; ) {
      const batch = waiting.slice(0, Math.min(left, BATCH))
      try {
        await store.appendAudit(batch, durable)
      } catch (error) {
        schedule()
        throw error
      }
      waiting = waiting.slice(batch.length)
      left -= batch.length
      if (durable) durableAt = performance.now()
    }
  }

  function flush(): Promise<void> {
    durableWanted = true
    return writeAll()
  }

  return {
    checkRoom() {
      if (waiting.length < MAX_WAITING) return
      throw new TroupeError('overloaded', 'The audit trail cannot be written; changes wait until it can.')
    },
    record(draft) {
      waiting.push(draft)
      schedule()
    },
    flush,
    async read(query) {
      await writeAll()
      return await store.audit(query)
    },
    async verify() {
      await writeAll()
      let head = { number: 0, hash: CHAIN_START }
      while (true) {
        const page = await store.audit({ after: head.number, order: 'asc', limit: PAGE })
        if (page.length === 0) return { intact: true, head }
        const verdict = verifyChain(head, page)
        if (!verdict.intact) return verdict
        head = verdict.head
      }
    },
    async close() {
      clearTimeout(timer)
      timer = undefined
      closed = true
      await flush()
    },
  }
}
