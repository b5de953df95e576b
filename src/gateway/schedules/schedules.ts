// Schedules: a task at a time, or again and again. They are kept in the gateway's store; every gateway looks for those
// whose time has come and hands their tasks to the desk.
//   schedules.ts   this file: puts, lists, removes; looks and fires
//   schedule.ts    what a schedule is, as it is kept
//   cron.ts        a cron expression and its next moment
//   wall-clock.ts  what the clocks of a time zone show
//
// One task for each time, whoever dies when: the task's idempotency key is made of the schedule's version and the time,
// so a gateway that died between accepting the task (P1) and advancing the schedule, or a second gateway that looked at
// the same moment, gets the same task again. Times that passed while no gateway ran are made up for by one task.
import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { TroupeError } from '../../contract/errors.ts'
import { hasEnded } from '../../contract/task.ts'
import type { Desk, SubmitRequest } from '../../desk/desk.ts'
import type { AgentDirectory } from '../../desk/directory.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { Callbacks } from '../callbacks/callbacks.ts'
import type { Quotas } from '../limits/quotas.ts'
import type { TelemetryPort } from '../parts.ts'
import { codedError } from '../problem.ts'
import type { Screening } from '../screening/screening.ts'
import type { ScheduleStore } from '../store/store.ts'
import { nextAfter, parseCron } from './cron.ts'
import type { Firing, ScheduleRow } from './schedule.ts'
import { openWallClock } from './wall-clock.ts'

export interface Schedules {
  /** Judged as its tasks will be: what could never be submitted is refused now (P9). `created` false: it took a place. */
  put(wanted: WantedSchedule): Promise<{ schedule: ScheduleRow; created: boolean }>
  get(tenant: string, name: string): Promise<ScheduleRow>
  list(tenant: string, page: { after?: string; limit: number }): Promise<ScheduleRow[]>
  remove(tenant: string, name: string): Promise<void>
  /** Once over everything whose time has come. `start` does it each second, until `stop`. */
  fireDue(): Promise<void>
  start(): void
  stop(): Promise<void>
}

export type WantedSchedule = Omit<ScheduleRow, 'id' | 'createdAt' | 'nextAt' | 'last'>

export interface SchedulesParts {
  store: ScheduleStore
  desk: Pick<Desk, 'submit' | 'get'>
  agents: AgentDirectory
  callbacks: Pick<Callbacks, 'attach'>
  quotas: Pick<Quotas, 'check'>
  screening: Pick<Screening, 'input'>
  audit: Pick<AuditTrail, 'record'>
  telemetry?: Pick<TelemetryPort, 'span'>
  log: Logger
  now?: () => number
}

const LOOK_MS = 1_000
const BATCH = 100
const MOST_OF_A_TENANT = 1_000
/** How long a schedule that will not fire again can still be read. */
const REMEMBERED_MS = 7 * 86_400_000
const FORGET_EVERY_MS = 3_600_000

/** In a fired task's metadata: which schedule it is of. */
export const SCHEDULE_MARK = 'troupe.schedule'

export function createSchedules(parts: SchedulesParts): Schedules {
  const { store, desk, agents, callbacks, quotas, screening, audit, telemetry, log, now = Date.now } = parts
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()
  let stopped = false
  let forgetAt = 0

  function judge(request: ScheduleRow['request']): void {
    agents.require(request.agent, request.agentVersion).checkInput(request.input)
    screening.input(request.agent, request.input, Buffer.byteLength(JSON.stringify(request.input) ?? 'null'))
  }

  async function fireDue(): Promise<void> {
    if (now() >= forgetAt) {
      await store.forgetSchedules(now() - REMEMBERED_MS)
      forgetAt = now() + FORGET_EVERY_MS
    }
    for (let found = BATCH; found === BATCH && !stopped; ) {
      const due = await store.dueSchedules(now(), BATCH)
      found = due.length
      for (const row of due) {
        if (stopped) return
        await store.advanceSchedule(row, { ...nextTime(row, Math.max(row.nextAt!, now())), last: await fire(row) })
      }
    }
  }

  async function fire(row: ScheduleRow): Promise<Firing> {
    const at = row.nextAt!
    try {
      if (row.overlap === 'skip' && (await isUnderWay(row))) return { at, skipped: true, ...taskOf(row) }
      await quotas.check(row.tenant)
      judge(row.request)
      const { task, created } = await submit(row, at)
      if (created) record(row, task.id, 202)
      return { at, task: task.id }
    } catch (thrown) {
      const { code, message, status } = codedError(thrown)
      // A part of the platform is away: its time has come all the same, and stays until it is back.
      if (status === 503) throw thrown
      record(row, row.name, status)
      return { at, error: { code, message } }
    }
  }

  async function submit(row: ScheduleRow, at: number) {
    const { tenant, name, id, request } = row
    const wanted: SubmitRequest = {
      ...request,
      tenant,
      metadata: { ...request.metadata, [SCHEDULE_MARK]: name },
      idempotencyKey: `schedule:${id}:${at}`,
    }
    const told = await callbacks.attach(tenant, request.callbacks ?? [])
    if (told !== undefined) wanted.callbacks = told
    if (telemetry === undefined) return await desk.submit(wanted)
    const attributes = { 'troupe.tenant': tenant, 'gen_ai.agent.name': request.agent, 'troupe.schedule': name }
    return await telemetry.span('schedule', attributes, undefined, (traceparent) =>
      desk.submit(traceparent === undefined ? wanted : { ...wanted, traceparent }),
    )
  }

  async function isUnderWay({ tenant, last }: ScheduleRow): Promise<boolean> {
    if (last?.task === undefined) return false
    try {
      return !hasEnded((await desk.get(tenant, last.task)).state)
    } catch (error) {
      // Ended so long ago that it is not kept any more.
      if (error instanceof TroupeError && error.code === 'not_found') return false
      throw error
    }
  }

  function record({ tenant, name, id }: ScheduleRow, target: string, status: number): void {
    const requestId = `schedule:${id}`
    audit.record({ at: now(), tenant, subject: `schedule:${name}`, action: 'schedule.fire', target, status, requestId })
  }

  function lookLater(): void {
    if (stopped) return
    timer = setTimeout(() => {
      looking = fireDue()
        .catch((error) => log.warn({ err: error }, 'schedules cannot be fired; trying again'))
        .then(lookLater)
    }, LOOK_MS)
    timer.unref()
  }

  async function get(tenant: string, name: string): Promise<ScheduleRow> {
    const row = await store.schedule(tenant, name)
    if (row === undefined) throw new TroupeError('not_found', `There is no schedule ${name}.`)
    return row
  }

  return {
    get,
    list: (tenant, page) => store.schedules(tenant, page),

    async put(wanted) {
      const { tenant, name } = wanted
      judge(wanted.request)
      const moment = now()
      const row: ScheduleRow = { ...wanted, id: randomUUID(), createdAt: moment }
      const schedule = { ...row, ...nextTime(row, moment) }
      if (schedule.nextAt === undefined) throw neverComes(row)
      const earlier = await store.schedule(tenant, name)
      if (earlier === undefined && (await store.countSchedules(tenant)) >= MOST_OF_A_TENANT) {
        throw new TroupeError('limit_exceeded', `A tenant may have ${MOST_OF_A_TENANT} schedules; remove one first.`)
      }
      await store.putSchedule(schedule)
      return { schedule, created: earlier === undefined }
    },

    async remove(tenant, name) {
      if (await store.removeSchedule(tenant, name)) return
      throw new TroupeError('not_found', `There is no schedule ${name}.`)
    },

    fireDue,
    start: lookLater,

    async stop() {
      stopped = true
      clearTimeout(timer)
      await looking
    },
  }
}

function nextTime({ when }: ScheduleRow, after: number): { nextAt?: number } {
  const nextAt = 'at' in when ? when.at : nextAfter(parseCron(when.cron), openWallClock(when.timeZone), after)
  return nextAt === undefined || nextAt <= after ? {} : { nextAt }
}

function neverComes({ when }: ScheduleRow): TroupeError {
  const why = 'at' in when ? `at: ${new Date(when.at).toISOString()} has passed.` : `cron: "${when.cron}" never comes.`
  return new TroupeError('invalid_request', why)
}

function taskOf({ last }: ScheduleRow): { task?: string } {
  return last?.task === undefined ? {} : { task: last.task }
}
