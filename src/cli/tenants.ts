// troupe tenants remove: everything that a tenant has, by the same calls that its own admin could make. Nothing of it is
// kept here: whatever ended a removal, the same command goes on with what is left.
import { setTimeout as wait } from 'node:timers/promises'
import { TroupeError } from '../contract/errors.ts'
import { createClient, type GatewayClient } from './client.ts'
import type { Context, Handler } from './context.ts'
import { ENDED, removeEach } from './erasing.ts'
import { facts } from './table.ts'

/** A key that was revoked works on other gateways for five seconds more. */
const KEYS_REMEMBERED_MS = 6_000
/** What a running step gets to heed its cancellation; then the command says so, and can be given again. */
const TASKS_MS = 300_000
const TASKS_AGAIN_MS = 1_000
/** The key of a removal that broke off is no key for ever. */
const KEY_MS = 86_400_000
const PAGE = 500
const OPEN = ['queued', 'running', 'waiting', 'input-required']

/** In this order: who asks for work, the work, what it was made of. */
const KINDS = ['keys', 'schedules', 'webhooks', 'tasks', 'collections', 'documents'] as const
type Removed = Record<(typeof KINDS)[number], number>

interface Thing {
  id: string
  name: string
  revokedAt?: string
}

export const removeTenant: Handler<{ yes?: boolean }> = async (context, [tenant], { yes = false }) => {
  const platform = await context.connect()
  const self = await platform.get<{ tenant: string }>('/v1/self')
  if (self.tenant === tenant) {
    throw new TroupeError('invalid_command', `${tenant} is the tenant of your own key; it would remove itself.`)
  }
  if (!yes) {
    throw new TroupeError(
      'invalid_command',
      `All that ${tenant} has would be gone for good; say --yes if that is meant.`,
    )
  }
  const name = `removal of ${tenant}`
  const expiresAt = new Date(Date.now() + KEY_MS).toISOString()
  const key = await platform.post<{ id: string; secret: string }>('/v1/keys', {
    name,
    role: 'admin',
    tenant,
    expiresAt,
  })
  const removal = removalOf(context, platform, createClient(platform.url, key.secret), tenant!, key.id)
  const sum = await removal.all()
  await platform.put(`/v1/quotas/${encodeURIComponent(tenant!)}`, {})
  await platform.remove(`/v1/keys/${key.id}`, { query: { tenant } })
  context.show(sum, (removed) => `${facts(removed)}\n${tenant} has nothing any more; its audit trail stays`)
}

function removalOf(context: Context, platform: GatewayClient, own: GatewayClient, tenant: string, keyId: string) {
  /** What is removed is listed no more: the first page is asked for until it is empty. */
  async function empty(path: string, named: 'name' | 'id', query: Record<string, string> = {}): Promise<number> {
    for (let removed = 0; ; ) {
      type Page = Record<string, Thing[]> & { nextCursor?: string }
      const { nextCursor: _, ...list } = await own.get<Page>(path, { query })
      const things = Object.values(list).flat()
      if (things.length === 0) return removed
      removed += await removeEach(
        own,
        things.map((thing) => `${path}/${thing[named]}`),
      )
    }
  }

  async function keys(): Promise<number> {
    let revoked = 0
    for (let cursor: string | undefined; ; ) {
      const query = { tenant, limit: PAGE, cursor }
      const page = await platform.get<{ keys: Thing[]; nextCursor?: string }>('/v1/keys', { query })
      const valid = page.keys.filter(({ id, revokedAt }) => revokedAt === undefined && id !== keyId)
      const paths = valid.map(({ id }) => `/v1/keys/${id}`)
      revoked += await removeEach(platform, paths, { tenant })
      cursor = page.nextCursor
      if (cursor === undefined) return revoked
    }
  }

  /** Cancelled until none is open: what is cancelled may have asked for others meanwhile. */
  async function endTasks(): Promise<void> {
    for (const until = Date.now() + TASKS_MS; ; await wait(TASKS_AGAIN_MS)) {
      const open = await own.get<{ tasks: object[] }>('/v1/tasks', { query: { state: OPEN.join(','), limit: 1 } })
      if (open.tasks.length === 0) return
      if (Date.now() > until) {
        throw new TroupeError(
          'wrong_state',
          `Tasks of ${tenant} have not ended yet; give the same command again later.`,
        )
      }
      // Messages to webhooks are tasks that only their agent's name finds.
      for (const filter of [{ state: OPEN }, { agent: 'webhook' }]) {
        for (let cursor: string | undefined; ; ) {
          const body = { ...filter, cursor, reason: `${tenant} is removed` }
          const part = await own.post<{ nextCursor?: string }>('/v1/tasks/cancel', body)
          cursor = part.nextCursor
          if (cursor === undefined) break
        }
      }
    }
  }

  async function tasks(): Promise<number> {
    await endTasks()
    return await empty('/v1/tasks', 'id', { state: ENDED.join(','), limit: String(PAGE) })
  }

  const work: { [Kind in keyof Removed]: () => Promise<number> } = {
    keys,
    schedules: () => empty('/v1/schedules', 'name'),
    webhooks: () => empty('/v1/webhooks', 'id'),
    tasks,
    collections: () => empty('/v1/collections', 'name'),
    documents: () => empty('/v1/documents', 'id'),
  }

  return {
    /** Again and again, until once nothing was found: others may have put something in while their keys were good. */
    async all(): Promise<Removed> {
      const sum = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Removed
      for (;;) {
        const before = { ...sum }
        for (const kind of KINDS) {
          sum[kind] += await work[kind]()
          context.terminal.status(`${kind}: ${sum[kind]}`)
        }
        if (KINDS.every((kind) => sum[kind] === before[kind])) return sum
        if (sum.keys > before.keys) await wait(KEYS_REMEMBERED_MS)
      }
    },
  }
}
