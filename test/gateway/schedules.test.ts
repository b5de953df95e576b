// Schedules: one task for each time, whoever dies when; what could never be submitted is refused when it is put.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { createInProcessBus } from '../../src/bus/in-process.ts'
import { TroupeError } from '../../src/contract/errors.ts'
import { createDesk, type Desk } from '../../src/desk/desk.ts'
import { createSchedules, type Schedules, type WantedSchedule } from '../../src/gateway/schedules/schedules.ts'
import type { ScheduleStore } from '../../src/gateway/store/store.ts'
import { type Started, startGateway } from './support/start.ts'

let started: Started

before(async () => {
  started = await startGateway()
})
after(async () => await started[Symbol.asyncDispose]())

const put = (name: string, body: unknown, key = started.adminKey) =>
  started.call('PUT', `/v1/schedules/${name}`, { body, key })
const daily = { agent: 'echo', input: { a: 1 }, cron: '0 6 * * *', timeZone: 'Europe/Berlin' }

test('a schedule is put, read, listed and removed; putting it again puts it once', async () => {
  const made = await put('nightly', { ...daily, metadata: { team: 'data' }, overlap: 'skip', priority: 'low' })
  assert.equal(made.status, 201, made.text)
  assert.equal(made.headers.get('location'), '/v1/schedules/nightly')
  assert.match(made.json.nextAt, /T0[45]:00:00\.000Z$/)
  const again = await put('nightly', daily)
  assert.equal(again.status, 200)
  const read = await started.call('GET', '/v1/schedules/nightly')
  assert.deepEqual(read.json.input, { a: 1 })
  assert.equal(read.json.overlap, 'allow')
  assert.equal(read.json.metadata, undefined, 'the one before is gone')
  await put('another', daily)
  const list = await started.call('GET', '/v1/schedules?limit=1')
  assert.deepEqual([list.json.schedules[0].name, list.json.schedules[0].input], ['another', undefined])
  const rest = await started.call('GET', `/v1/schedules?limit=1&cursor=${list.json.nextCursor}`)
  assert.equal(rest.json.schedules[0].name, 'nightly')
  assert.equal((await started.call('DELETE', '/v1/schedules/nightly')).status, 204)
  assert.equal((await started.call('DELETE', '/v1/schedules/nightly')).status, 404)
})

test('what could never be submitted is refused now, and nothing is kept', async () => {
  const wrong: [unknown, number, RegExp][] = [
    [{ ...daily, agent: 'nobody' }, 404, /nobody/],
    [{ ...daily, agent: 'strict', input: 7 }, 400, /expected object/],
    [{ ...daily, cron: '61 * * * *' }, 400, /cron/],
    [{ ...daily, cron: '0 0 30 2 *' }, 400, /never comes/],
    [{ ...daily, timeZone: 'Mars/Olympus' }, 400, /no time zone/],
    [{ ...daily, at: '2031-01-01T00:00:00Z' }, 400, /either/],
    [{ agent: 'echo', input: 1 }, 400, /either/],
    [{ agent: 'echo', input: 1, at: '2020-01-01T00:00:00Z' }, 400, /has passed/],
    [{ agent: 'echo', input: 1, at: '2031-01-01T00:00:00Z', timeZone: 'UTC' }, 400, /belongs to/],
    [{ ...daily, deadline: '2031-01-01T00:00:00Z' }, 400, /deadline/],
    [{ ...daily, more: 1 }, 400, /more/],
  ]
  for (const [body, status, why] of wrong) {
    const answer = await put('wrong', body)
    assert.equal(answer.status, status, answer.text)
    assert.match(answer.json.detail, why)
  }
  assert.equal((await put('No%20Name', daily)).status, 400)
  assert.equal((await started.call('GET', '/v1/schedules/wrong')).status, 404)
  assert.equal((await started.call('GET', '/v1/schedules/%00')).status, 404)
})

test('a viewer may look and not change; another tenant has schedules of its own', async () => {
  await put('shared-name', { ...daily, input: 'mine' })
  const viewer = await started.key('viewer')
  assert.equal((await put('shared-name', daily, viewer)).status, 403)
  assert.equal((await started.call('GET', '/v1/schedules/shared-name', { key: viewer })).status, 200)
  const rival = await started.key('admin', 'rival')
  assert.equal((await started.call('GET', '/v1/schedules/shared-name', { key: rival })).status, 404)
  assert.equal((await started.call('DELETE', '/v1/schedules/shared-name', { key: rival })).status, 404)
  assert.equal((await put('shared-name', { ...daily, input: 'theirs' }, rival)).status, 201)
  assert.equal((await started.call('GET', '/v1/schedules/shared-name')).json.input, 'mine')
})

test('a gateway that serves submits the task when its time has come, and the audit trail says so', async () => {
  const at = new Date(Date.now() + 1_500).toISOString()
  assert.equal((await put('soon', { agent: 'echo', input: 'later', at })).status, 201)
  let view = (await started.call('GET', '/v1/schedules/soon')).json
  for (const patience = Date.now() + 60_000; view.last === undefined && Date.now() < patience; ) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    view = (await started.call('GET', '/v1/schedules/soon')).json
  }
  assert.equal(view.last.at, at)
  assert.equal(view.nextAt, undefined)
  const task = (await started.call('GET', view.links.task)).json
  assert.equal(task.input, 'later')
  assert.deepEqual(task.metadata, { 'troupe.schedule': 'soon' })
  const { entries } = (await started.call('GET', '/v1/audit?limit=500')).json
  const fired = entries.find(({ action }: { action: string }) => action === 'schedule.fire')
  assert.deepEqual([fired.subject, fired.target], ['schedule:soon', task.id])
})

const HOUR = 3_600_000
const MIDNIGHT = Date.UTC(2030, 0, 1)

/** Schedules on the gateway's stores with a clock of their own. */
async function clocked(given: { store?: ScheduleStore; desk?: Desk } = {}) {
  const own = await startGateway()
  const desk = createDesk({ journal: own.journal, bus: createInProcessBus(), agents: own.agents })
  const clock = { now: MIDNIGHT }
  const refused = { quota: false }
  const make = (more: { store?: ScheduleStore; desk?: Desk } = given): Schedules =>
    createSchedules({
      store: more.store ?? own.store,
      desk: more.desk ?? desk,
      agents: own.agents,
      quotas: {
        async check() {
          if (refused.quota) throw new TroupeError('quota_exceeded', 'used up')
        },
      },
      callbacks: { attach: async () => undefined },
      screening: { input: () => undefined },
      audit: { record() {} },
      log: pino({ level: 'silent' }),
      now: () => clock.now,
    })
  const wanted = (name: string, more: Partial<WantedSchedule> = {}): WantedSchedule => ({
    tenant: 'default',
    name,
    request: { agent: 'echo', input: name },
    when: { cron: '0 * * * *', timeZone: 'UTC' },
    overlap: 'allow',
    createdBy: 'key_1',
    ...more,
  })
  const tasks = async () => (await own.journal.list({ tenant: 'default', limit: 100 })).tasks
  return { own, desk, clock, refused, make, wanted, tasks, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() }
}

test('each time gives one task, also when two gateways look at once', async () => {
  await using one = await clocked()
  const [first, second] = [one.make(), one.make()]
  await first.put(one.wanted('hourly'))
  for (let hour = 1; hour <= 5; hour++) {
    one.clock.now = MIDNIGHT + hour * HOUR + 5
    await Promise.all([first.fireDue(), second.fireDue(), first.fireDue()])
  }
  assert.equal((await one.tasks()).length, 5)
  assert.equal((await first.get('default', 'hourly')).nextAt, MIDNIGHT + 6 * HOUR)
})

test('a gateway that dies between the task and the schedule gives the task no twin', async () => {
  await using one = await clocked()
  await one.make().put(one.wanted('hourly'))
  one.clock.now += HOUR
  const dying: ScheduleStore = {
    ...one.own.store,
    advanceSchedule: () => Promise.reject(new Error('the process is gone')),
  }
  await assert.rejects(one.make({ store: dying }).fireDue(), /the process is gone/)
  assert.equal((await one.tasks()).length, 1)
  one.clock.now += 5_000
  await one.make().fireDue()
  const [task, ...more] = await one.tasks()
  assert.deepEqual(more, [])
  assert.equal((await one.make().get('default', 'hourly')).last?.task, task!.id)
})

test('what passed while nothing ran is made up for by one task', async () => {
  await using one = await clocked()
  const schedules = one.make()
  await schedules.put(one.wanted('hourly'))
  await schedules.put(one.wanted('once', { when: { at: MIDNIGHT + HOUR / 2 } }))
  one.clock.now += 10 * HOUR + 1
  await schedules.fireDue()
  await schedules.fireDue()
  assert.deepEqual((await one.tasks()).map(({ input }) => input).sort(), ['hourly', 'once'])
  assert.equal((await schedules.get('default', 'hourly')).nextAt, MIDNIGHT + 11 * HOUR)
  assert.equal((await schedules.get('default', 'once')).nextAt, undefined)
})

test('with overlap `skip` nothing is submitted while the task before has not ended', async () => {
  await using one = await clocked()
  const schedules = one.make()
  await schedules.put(one.wanted('careful', { overlap: 'skip' }))
  one.clock.now += HOUR
  await schedules.fireDue()
  const [task] = await one.tasks()
  one.clock.now += HOUR
  await schedules.fireDue()
  assert.equal((await one.tasks()).length, 1)
  const { last } = await schedules.get('default', 'careful')
  assert.deepEqual(last, { at: MIDNIGHT + 2 * HOUR, skipped: true, task: task!.id })
  await one.own.commit(task!.id, 'completed', [{ type: 'task.completed' }])
  one.clock.now += HOUR
  await schedules.fireDue()
  assert.equal((await one.tasks()).length, 2)
})

test('a time stays due while the platform is away, and a refusal is told and passed over', async () => {
  await using one = await clocked()
  await one.make().put(one.wanted('hourly'))
  one.clock.now += HOUR
  const away: Desk = { ...one.desk, submit: () => Promise.reject(new TroupeError('journal_unavailable', 'away')) }
  await assert.rejects(one.make({ desk: away }).fireDue(), { code: 'journal_unavailable' })
  assert.equal((await one.make().get('default', 'hourly')).nextAt, MIDNIGHT + HOUR)
  one.refused.quota = true
  await one.make().fireDue()
  const { last, nextAt } = await one.make().get('default', 'hourly')
  assert.deepEqual(last, { at: MIDNIGHT + HOUR, error: { code: 'quota_exceeded', message: 'used up' } })
  assert.equal(nextAt, MIDNIGHT + 2 * HOUR)
  assert.equal((await one.tasks()).length, 0)
})

test('one that was replaced or removed while it fired stays as it was put', async () => {
  await using one = await clocked()
  const schedules = one.make()
  await schedules.put(one.wanted('changing'))
  one.clock.now += HOUR
  const replacing: Desk = {
    ...one.desk,
    async submit(request) {
      const answer = await one.desk.submit(request)
      await schedules.put(one.wanted('changing', { when: { at: MIDNIGHT + 90 * HOUR } }))
      return answer
    },
  }
  await one.make({ desk: replacing }).fireDue()
  const now = await schedules.get('default', 'changing')
  assert.deepEqual([now.nextAt, now.last], [MIDNIGHT + 90 * HOUR, undefined])
})

test('one that will not fire again is forgotten after a week', async () => {
  await using one = await clocked()
  const schedules = one.make()
  await schedules.put(one.wanted('once', { when: { at: MIDNIGHT + HOUR } }))
  one.clock.now += HOUR
  await schedules.fireDue()
  one.clock.now += 6 * 24 * HOUR
  await schedules.fireDue()
  assert.ok(await schedules.get('default', 'once'))
  one.clock.now += 26 * HOUR
  await schedules.fireDue()
  await assert.rejects(schedules.get('default', 'once'), { code: 'not_found' })
})

test('a tenant cannot keep more schedules than its bound', async () => {
  await using one = await clocked()
  const full: ScheduleStore = { ...one.own.store, countSchedules: async () => 1_000 }
  await assert.rejects(one.make({ store: full }).put(one.wanted('more')), { code: 'limit_exceeded' })
})
