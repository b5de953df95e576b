// The streams that are open now: how many, how to end all of them when this gateway drains, and how to end those whose
// key was revoked meanwhile.
import { TroupeError } from '../contract/errors.ts'

const RECHECK_MS = 30_000

export type StreamEnding = 'draining' | 'revoked'

export interface OpenStream {
  tenant: string
  /** Tells the reader where to resume, and closes. */
  end(why: StreamEnding): void
  /** Throws or rejects when the reader's credential is no longer good. */
  recheck(): unknown
}

export interface Streams {
  /** Counts a stream until the returned function is called; `overloaded` when there are too many. */
  open(stream: OpenStream): () => void
  /** Ends streams whose credential is no longer good; runs by itself twice a minute. */
  recheck(): Promise<void>
  /** The same for one of them: false, it was ended. */
  check(stream: OpenStream): Promise<boolean>
  drain(): void
  readonly count: number
}

export function createStreams(most: { gateway: number; tenant: number }): Streams {
  const open = new Set<OpenStream>()
  const byTenant = new Map<string, number>()
  let draining = false

  async function check(stream: OpenStream): Promise<boolean> {
    try {
      await stream.recheck()
    } catch (error) {
      // Only a refusal ends a stream: an issuer that cannot be reached for a moment must not cut everyone off.
      if (!(error instanceof TroupeError) || error.code !== 'unauthenticated') return true
      stream.end('revoked')
      return false
    }
    return true
  }

  async function recheck(): Promise<void> {
    for (const stream of [...open]) await check(stream)
  }

  const timer = setInterval(() => void recheck(), RECHECK_MS)
  timer.unref()

  return {
    open(stream) {
      const { tenant } = stream
      if (draining) throw new TroupeError('draining', 'This gateway is shutting down; connect again.')
      const ofTenant = byTenant.get(tenant) ?? 0
      if (open.size >= most.gateway || ofTenant >= most.tenant) {
        const which = ofTenant >= most.tenant ? `the tenant ${tenant}` : 'this gateway'
        throw new TroupeError('overloaded', `Too many streams are open for ${which}.`)
      }
      open.add(stream)
      byTenant.set(tenant, ofTenant + 1)
      return () => {
        if (!open.delete(stream)) return
        const left = (byTenant.get(tenant) ?? 1) - 1
        if (left === 0) byTenant.delete(tenant)
        else byTenant.set(tenant, left)
      }
    },
    recheck,
    check,
    drain() {
      draining = true
      clearInterval(timer)
      for (const stream of [...open]) stream.end('draining')
    },
    get count() {
      return open.size
    },
  }
}
