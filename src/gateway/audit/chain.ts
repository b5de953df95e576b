// The audit trail's chain. Each entry carries the hash of the one before it, so a changed, removed or inserted entry
// breaks every hash after it. (Cutting off the end is seen by comparing with a head that was noted elsewhere.)
//   chain.ts   this file: entries and their hashes; pure
//   trail.ts   writes the trail in batches, reads and verifies it
import { hash } from 'node:crypto'

export interface AuditDraft {
  at: number
  tenant: string
  /** Who: a key's id or `<issuer>|<subject>`; `anonymous` when nobody could be told. */
  subject: string
  /** What: `task.submit`, `key.revoke`, … */
  action: string
  /** On what: an id or a path. */
  target: string
  /** The HTTP status of the answer. */
  status: number
  requestId: string
  /** Small facts: an error code, a screening rule. Never content, never a secret. */
  detail?: Record<string, string | number | boolean>
}

export interface AuditEntry extends AuditDraft {
  /** 1, 2, 3 … without a gap. */
  number: number
  previousHash: string
  hash: string
}

/** What the first entry is chained to. */
export const CHAIN_START = '0'.repeat(64)

export interface ChainHead {
  number: number
  hash: string
}

export function chainAfter(head: ChainHead, draft: AuditDraft): AuditEntry {
  const number = head.number + 1
  return { ...draft, number, previousHash: head.hash, hash: entryHash(number, head.hash, draft) }
}

export type ChainVerdict =
  | { intact: true; head: ChainHead }
  | { intact: false; brokenAt: number; because: 'hash' | 'gap' | 'link' }

/** Checks entries that follow `head`, in order. */
export function verifyChain(head: ChainHead, entries: Iterable<AuditEntry>): ChainVerdict {
  let last = head
  for (const entry of entries) {
    if (entry.number !== last.number + 1) return { intact: false, brokenAt: last.number + 1, because: 'gap' }
    if (entry.previousHash !== last.hash) return { intact: false, brokenAt: entry.number, because: 'link' }
    if (entryHash(entry.number, entry.previousHash, entry) !== entry.hash) {
      return { intact: false, brokenAt: entry.number, because: 'hash' }
    }
    last = { number: entry.number, hash: entry.hash }
  }
  return { intact: true, head: last }
}

function entryHash(number: number, previousHash: string, draft: AuditDraft): string {
  const { at, tenant, subject, action, target, status, requestId, detail } = draft
  // A list in a fixed order: the hash must not depend on the order in which a store returns the fields.
  const facts = Object.entries(detail ?? {}).sort(([one], [other]) => (one < other ? -1 : 1))
  return hash(
    'sha256',
    JSON.stringify([number, previousHash, at, tenant, subject, action, target, status, requestId, facts]),
  )
}
