// troupe schedules put | ls | show | remove
import { TroupeError } from '../contract/errors.ts'
import type { Handler } from './context.ts'
import { readInput } from './input.ts'
import { attachments } from './labels.ts'
import { facts, table } from './table.ts'

interface ScheduleView {
  name: string
  agent: string
  agentVersion?: string
  input?: unknown
  at?: string
  cron?: string
  timeZone?: string
  overlap: string
  createdAt: string
  nextAt?: string
  last?: { at: string; task?: string; skipped?: true; error?: { code: string; message: string } }
}

export interface PutOptions {
  cron?: string
  timeZone?: string
  at?: string
  skip?: boolean
  priority?: string
  label?: string[]
  callback?: string
}

export const putSchedule: Handler<PutOptions> = async (context, [name, agent, given], options) => {
  const { cron, timeZone, at, skip, priority } = options
  if ((cron === undefined) === (at === undefined)) {
    throw new TroupeError('invalid_command', 'Say when: either --cron, or --at for once.')
  }
  const body = {
    agent,
    input: await readInput(given),
    cron,
    timeZone,
    at,
    priority,
    overlap: skip ? 'skip' : undefined,
    ...attachments(options),
  }
  const gateway = await context.connect()
  const schedule = await gateway.put<ScheduleView>(pathOf(name!), body)
  context.show(schedule, () => schedule.name)
  context.terminal.note(`It asks ${schedule.agent} next at ${schedule.nextAt}.`)
}

export const listSchedules: Handler<{ limit: string }> = async (context, _, { limit }) => {
  const gateway = await context.connect()
  const page = await gateway.get<{ schedules: ScheduleView[]; nextCursor?: string }>('/v1/schedules', {
    query: { limit },
  })
  context.show(page, ({ schedules }) =>
    table(
      ['NAME', 'AGENT', 'WHEN', 'NEXT', 'LAST'],
      schedules.map((one) => [one.name, one.agent, whenOf(one), one.nextAt ?? '', lastOf(one)]),
    ),
  )
  if (page.nextCursor !== undefined) context.terminal.note('There are more: --limit takes up to 500.')
}

export const showSchedule: Handler = async (context, [name]) => {
  const gateway = await context.connect()
  const schedule = await gateway.get<ScheduleView>(pathOf(name!))
  context.show(schedule, (shown) => {
    const { agent, agentVersion } = shown
    const about = facts({
      name: shown.name,
      agent: agentVersion === undefined ? agent : `${agent}@${agentVersion}`,
      when: whenOf(shown),
      overlap: shown.overlap,
      next: shown.nextAt ?? 'never again',
      last: shown.last && `${shown.last.at}  ${lastOf(shown)}`,
      created: shown.createdAt,
    })
    return `${about}\n\ninput\n${JSON.stringify(shown.input, null, 2)}`
  })
}

export const removeSchedule: Handler = async (context, [name]) => {
  const gateway = await context.connect()
  await gateway.remove(pathOf(name!))
  context.show({ removed: name }, () => `${name} is removed`)
}

function pathOf(name: string): string {
  return `/v1/schedules/${encodeURIComponent(name)}`
}

function whenOf({ at, cron, timeZone }: ScheduleView): string {
  return at === undefined ? `${cron} (${timeZone})` : 'once'
}

function lastOf({ last }: ScheduleView): string {
  if (last === undefined) return ''
  if (last.error !== undefined) return `${last.error.code}: ${last.error.message}`
  return last.skipped ? `skipped: ${last.task} had not ended` : (last.task ?? '')
}
