// What a tenant may use up in a day or a month: tasks, tokens, money. Judged by the journal, which outlives every
// process; its answer is remembered for a moment, so a burst can pass a quota by what is accepted within that moment.
import { TroupeError } from '../../contract/errors.ts'
import type { Usage } from '../../contract/task.ts'
import type { Journal } from '../../journal/journal.ts'
import { BoundedCache } from '../bounded-cache.ts'
import type { GatewayStore, Quota } from '../store/store.ts'

const REMEMBERED_MS = 5_000
const REMEMBERED = 1_000

type Used = Usage & { tasks: number }

export interface Quotas {
  of(tenant: string): Promise<Quota>
  /** Of every tenant that has a bound, by name, behind `after`. */
  list(page: { after?: string; limit: number }): Promise<{ tenant: string; quota: Quota }[]>
  set(tenant: string, quota: Quota): Promise<void>
  /** Passes, or throws `quota_exceeded`. Undefined when the tenant is known to have none. */
  check(tenant: string): Promise<void> | undefined
}

export function createQuotas(parts: { store: GatewayStore; journal: Journal }, now: () => number = Date.now): Quotas {
  const { store, journal } = parts
  const quotas = new BoundedCache<Quota>({ size: REMEMBERED, ttlMs: REMEMBERED_MS, now })
  const uses = new BoundedCache<Used>({ size: REMEMBERED, ttlMs: REMEMBERED_MS, now })

  async function of(tenant: string): Promise<Quota> {
    const known = quotas.get(tenant)
    if (known !== undefined) return known
    const quota = (await store.quota(tenant)) ?? {}
    quotas.set(tenant, quota)
    return quota
  }

  async function used(tenant: string, period: 'day' | 'month'): Promise<Used> {
    const key = `${tenant} ${period}`
    const known = uses.get(key)
    if (known !== undefined) return known
    const usage = await journal.usage(tenant, beginOf(period, now()))
    uses.set(key, usage)
    return usage
  }

  async function checkUses(tenant: string): Promise<void> {
    const quota = await of(tenant)
    if (quota.tasksPerDay !== undefined) {
      const today = await used(tenant, 'day')
      if (today.tasks >= quota.tasksPerDay) throw exceeded('tasks a day', quota.tasksPerDay, 'day', now())
      // Counted at once, so that the remembered answer is not passed by a burst on this gateway.
      today.tasks++
    }
    if (quota.tokensPerMonth === undefined && quota.costMicrosPerMonth === undefined) return
    const month = await used(tenant, 'month')
    if (quota.tokensPerMonth !== undefined && month.inputTokens + month.outputTokens >= quota.tokensPerMonth) {
      throw exceeded('tokens a month', quota.tokensPerMonth, 'month', now())
    }
    if (quota.costMicrosPerMonth !== undefined && month.costMicros >= quota.costMicrosPerMonth) {
      throw exceeded('micros of cost a month', quota.costMicrosPerMonth, 'month', now())
    }
  }

  return {
    of,
    list: (page) => store.quotas(page),
    async set(tenant, quota) {
      await store.setQuota(tenant, quota)
      quotas.set(tenant, quota)
    },
    check(tenant) {
      const known = quotas.get(tenant)
      return known !== undefined && isUnlimited(known) ? undefined : checkUses(tenant)
    },
  }
}

function isUnlimited({ tasksPerDay, tokensPerMonth, costMicrosPerMonth }: Quota): boolean {
  return tasksPerDay === undefined && tokensPerMonth === undefined && costMicrosPerMonth === undefined
}

/** Days and months are those of UTC: the same for every gateway, wherever it runs. */
export function beginOf(period: 'day' | 'month', now: number): number {
  const date = new Date(now)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), period === 'day' ? date.getUTCDate() : 1)
}

function endOf(period: 'day' | 'month', now: number): number {
  const date = new Date(now)
  return period === 'day'
    ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1)
    : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
}

function exceeded(what: string, limit: number, period: 'day' | 'month', now: number): TroupeError {
  return new TroupeError('quota_exceeded', `The tenant’s quota of ${limit} ${what} is used up.`, {
    detail: { limit, retryAfterMs: endOf(period, now) - now },
  })
}
