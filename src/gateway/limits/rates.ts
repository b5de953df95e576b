// How many requests a second, by key, by tenant, and by address for failed logins. Counted in Redis when all gateways
// should share the count, in memory otherwise. A slow or dead Redis costs one request at most 40 ms, then memory counts
// alone for a second before Redis is asked again: a limit must never become an outage.
//   rates.ts    this file: requests a second
//   window.ts   counts in memory
//   bodies.ts   bytes of bodies held at a time
//   quotas.ts   tasks a day, tokens and money a month
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { TroupeError } from '../../contract/errors.ts'
import type { Principal } from '../auth/principal.ts'
import { type Counted, createWindow, type Window } from './window.ts'

const REDIS_PATIENCE_MS = 40
const REDIS_REST_MS = 1_000
const WINDOW_SECONDS = 1
/** The limiter only counts; the bound differs by key and is compared here. */
const COUNT_ONLY = Number.MAX_SAFE_INTEGER

export interface Rates {
  /** Passes, or throws `rate_limited`. Undefined when nothing had to be asked, so that the common case stays synchronous. */
  take(principal: Principal): Promise<void> | undefined
  failedLogin(address: string): Promise<void>
  status(): { shared: boolean; resting: boolean }
  close(): Promise<void>
}

export interface RateBounds {
  requestsPerSecond: { key: number; tenant: number }
  failedLoginsPerSecond: number
  redisUrl?: string
}

interface SharedCounter {
  consume(key: string): Promise<Counted>
  close(): void
}

export async function createRates(bounds: RateBounds, now: () => number = Date.now): Promise<Rates> {
  const byKey = createWindow(WINDOW_SECONDS * 1_000, now)
  const byTenant = createWindow(WINDOW_SECONDS * 1_000, now)
  const byAddress = createWindow(WINDOW_SECONDS * 1_000, now)
  const shared = bounds.redisUrl === undefined ? undefined : await connect(bounds.redisUrl)
  let restsUntil = 0

  /** In Redis while it answers, or in this process's memory. */
  async function count(kind: string, key: string, memory: Window): Promise<Counted> {
    if (shared === undefined || now() < restsUntil) return memory.count(key)
    try {
      return await shared.consume(`${kind}:${key}`)
    } catch {
      restsUntil = now() + REDIS_REST_MS
      return memory.count(key)
    }
  }

  function check(counted: Counted, most: number, whose: string): void {
    if (counted.consumedPoints <= most) return
    throw new TroupeError('rate_limited', `More than ${most} requests a second ${whose}.`, {
      detail: { limit: most, retryAfterMs: counted.msBeforeNext },
    })
  }

  function checkBoth(principal: Principal, ofKey: Counted, ofTenant: Counted): void {
    check(ofKey, principal.requestsPerSecond ?? bounds.requestsPerSecond.key, 'with this key')
    check(ofTenant, bounds.requestsPerSecond.tenant, `for the tenant ${principal.tenant}`)
  }

  async function takeShared(principal: Principal): Promise<void> {
    const { limitId, tenant } = principal
    const counts = [count('key', limitId, byKey), count('tenant', tenant, byTenant)] as const
    const [ofKey, ofTenant] = await Promise.all(counts)
    checkBoth(principal, ofKey, ofTenant)
  }

  return {
    take(principal) {
      if (shared !== undefined) return takeShared(principal)
      checkBoth(principal, byKey.count(principal.limitId), byTenant.count(principal.tenant))
    },
    async failedLogin(address) {
      const counted = await count('login', address, byAddress)
      check(counted, bounds.failedLoginsPerSecond, 'without a valid credential from this address')
    },
    status: () => ({ shared: shared !== undefined, resting: now() < restsUntil }),
    async close() {
      shared?.close()
    },
  }
}

async function connect(url: string): Promise<SharedCounter> {
  const { Redis } = await import('ioredis')
  const redis = new Redis(url, {
    // A command that cannot be sent now fails now: memory takes over.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: REDIS_PATIENCE_MS,
    connectTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  })
  // Without a listener ioredis prints; the state is visible in `status` and /readyz.
  redis.on('error', () => {})
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    points: COUNT_ONLY,
    duration: WINDOW_SECONDS,
    keyPrefix: 'troupe:rate',
    rejectIfRedisNotReady: true,
  })
  return { consume: (key) => limiter.consume(key), close: () => redis.disconnect() }
}
