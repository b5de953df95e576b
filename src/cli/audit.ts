// troupe audit ls | verify
import type { Handler } from './context.ts'
import { EXIT } from './exit-codes.ts'
import { table } from './table.ts'

interface EntryView {
  number: number
  at: string
  subject: string
  action: string
  target: string
  status: number
}

export interface AuditOptions {
  limit: string
  after?: string
  oldestFirst?: boolean
}

export const listAudit: Handler<AuditOptions> = async (context, _, { limit, after, oldestFirst }) => {
  const gateway = await context.connect()
  const query = { limit, after, order: oldestFirst ? 'asc' : 'desc' }
  const page = await gateway.get<{ entries: EntryView[]; next?: number }>('/v1/audit', { query })
  context.show(page, ({ entries }) =>
    table(
      ['NUMBER', 'AT', 'WHO', 'WHAT', 'STATUS', 'OF'],
      entries.map(({ number, at, subject, action, status, target }) => [number, at, subject, action, status, target]),
    ),
  )
  if (page.next !== undefined) context.terminal.note(`There are more: --after ${page.next}`)
}

interface VerdictView {
  intact: boolean
  entries: number
  head?: string
  because?: string
}

const WHY: Record<string, string> = {
  hash: 'was changed',
  gap: 'is missing, or numbered wrongly',
  link: 'does not follow from the one before it',
}

export const verifyAudit: Handler = async (context) => {
  const gateway = await context.connect()
  const verdict = await gateway.get<VerdictView>('/v1/audit/verification')
  context.show(verdict, ({ intact, entries, head, because = '' }) =>
    intact
      ? `intact: ${entries} entries; head ${head}`
      : `broken: ${entries} entries are in order, the one after them ${WHY[because] ?? because}`,
  )
  return verdict.intact ? EXIT.ok : EXIT.broken
}
