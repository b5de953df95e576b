// troupe keys create | ls | revoke, troupe usage, troupe quotas ls | show | set, troupe models
import { TroupeError } from '../contract/errors.ts'
import type { Handler } from './context.ts'
import { duration, facts, table } from './table.ts'

interface KeyView {
  id: string
  tenant: string
  name: string
  role: string
  createdAt: string
  expiresAt?: string
  revokedAt?: string
  secret?: string
}

export interface NewKeyOptions {
  role: string
  tenant?: string
  expires?: string
}

export const createKey: Handler<NewKeyOptions> = async (context, [name], { role, tenant, expires }) => {
  const gateway = await context.connect()
  const key = await gateway.post<KeyView>('/v1/keys', { name, role, tenant, expiresAt: expires })
  context.show(key, ({ secret }) => secret ?? '')
  context.terminal.note(
    `${key.id}: ${key.role} of ${key.tenant}. The secret is shown this once; only its hash is kept.`,
  )
}

export const listKeys: Handler<{ tenant?: string }> = async (context, _, { tenant }) => {
  const gateway = await context.connect()
  const { keys } = await gateway.get<{ keys: KeyView[] }>('/v1/keys', { query: { tenant, limit: 500 } })
  context.show(keys, (all) =>
    table(
      ['ID', 'NAME', 'ROLE', 'TENANT', 'AGE', 'STATE'],
      all.map((key) => [
        key.id,
        key.name,
        key.role,
        key.tenant,
        duration(Date.now() - Date.parse(key.createdAt)),
        stateOf(key),
      ]),
    ),
  )
}

function stateOf({ revokedAt, expiresAt }: KeyView): string {
  if (revokedAt !== undefined) return 'revoked'
  if (expiresAt === undefined) return 'valid'
  return Date.parse(expiresAt) <= Date.now() ? 'expired' : `valid until ${expiresAt}`
}

export const revokeKey: Handler<{ tenant?: string }> = async (context, [id], { tenant }) => {
  const gateway = await context.connect()
  await gateway.remove(`/v1/keys/${encodeURIComponent(id!)}`, { query: { tenant } })
  context.show({ revoked: id }, () => `${id} is revoked`)
}

interface UsageView {
  since: string
  usage: { tasks: number; inputTokens: number; outputTokens: number; costMicros: number }
  quota: QuotaView
}

interface QuotaView {
  tasksPerDay?: number
  tokensPerMonth?: number
  costMicrosPerMonth?: number
}

export const showUsage: Handler<{ since?: string }> = async (context, _, { since }) => {
  const gateway = await context.connect()
  const answer = await gateway.get<UsageView>('/v1/usage', { query: { since } })
  context.show(answer, ({ since, usage, quota }) =>
    facts({
      since,
      tasks: ofQuota(usage.tasks, quota.tasksPerDay, 'a day'),
      tokens: ofQuota(usage.inputTokens + usage.outputTokens, quota.tokensPerMonth, 'a month'),
      cost: ofQuota(money(usage.costMicros), money(quota.costMicrosPerMonth), 'a month'),
    }),
  )
}

function money(micros: number): string
function money(micros: number | undefined): string | undefined
function money(micros: number | undefined): string | undefined {
  return micros === undefined ? undefined : (micros / 1e6).toFixed(4)
}

function ofQuota(used: number | string, quota: number | string | undefined, period: string): string {
  return quota === undefined ? String(used) : `${used} (quota ${quota} ${period})`
}

export const listQuotas: Handler<{ limit: string; cursor?: string }> = async (context, _, { limit, cursor }) => {
  const gateway = await context.connect()
  const page = await gateway.get<{ quotas: { tenant: string; quota: QuotaView }[]; nextCursor?: string }>(
    '/v1/quotas',
    { query: { limit, cursor } },
  )
  context.show(page, ({ quotas }) =>
    table(
      ['TENANT', 'TASKS A DAY', 'TOKENS A MONTH', 'COST A MONTH'],
      quotas.map(({ tenant, quota }) => [
        tenant,
        quota.tasksPerDay,
        quota.tokensPerMonth,
        money(quota.costMicrosPerMonth),
      ]),
    ),
  )
  if (page.nextCursor !== undefined) context.terminal.note(`There are more: --cursor ${page.nextCursor}`)
}

export const showQuota: Handler = async (context, [tenant]) => {
  const gateway = await context.connect()
  context.show(await gateway.get<QuotaView>(quotaPath(tenant!)), quotaWords)
}

export interface QuotaOptions {
  tasks?: string
  tokens?: string
  cost?: string
  none?: boolean
}

export const setQuota: Handler<QuotaOptions> = async (context, [tenant], { tasks, tokens, cost, none }) => {
  // Whoever forgets the options must not take every bound away.
  if ((tasks ?? tokens ?? cost ?? none) === undefined) {
    throw new TroupeError('invalid_command', 'Say which: --tasks, --tokens, --cost, or --none for no bound.')
  }
  const gateway = await context.connect()
  const quota: QuotaView = {
    ...(tasks === undefined ? {} : { tasksPerDay: Number(tasks) }),
    ...(tokens === undefined ? {} : { tokensPerMonth: Number(tokens) }),
    ...(cost === undefined ? {} : { costMicrosPerMonth: Math.round(Number(cost) * 1e6) }),
  }
  context.show(await gateway.put<QuotaView>(quotaPath(tenant!), quota), quotaWords)
}

function quotaPath(tenant: string): string {
  return `/v1/quotas/${encodeURIComponent(tenant)}`
}

function quotaWords({ tasksPerDay, tokensPerMonth, costMicrosPerMonth }: QuotaView): string {
  return facts({
    'tasks a day': tasksPerDay ?? 'no bound',
    'tokens a month': tokensPerMonth ?? 'no bound',
    'cost a month': money(costMicrosPerMonth) ?? 'no bound',
  })
}

export const listModels: Handler = async (context) => {
  const [{ connectModels }, { dataFolderOf }] = await Promise.all([
    import('../boot/models.ts'),
    import('./connection.ts'),
  ])
  const models = await connectModels(dataFolderOf(context.globals))
  try {
    const all = await models.list()
    context.show(all, () =>
      table(
        ['MODEL', 'VERSION', 'STATE', 'REASON'],
        all.map(({ name, version, state, reason }) => [name, version, state, reason]),
      ),
    )
  } finally {
    models.close()
  }
}
