// One suite for the port of the gateway's store, run on each adapter by store.test.ts.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CHAIN_START, verifyChain } from '../../../src/gateway/audit/chain.ts'
import type { ScheduleRow } from '../../../src/gateway/schedules/schedule.ts'
import type { DocumentRow, GatewayStore, KeyRow } from '../../../src/gateway/store/store.ts'

const document = (id: string, tenant: string): DocumentRow => ({
  id: `doc_${id}`,
  tenant,
  name: 'a "name" with 😀',
  mime: 'text/plain',
  bytes: 3_000_000_000,
  sha256: 'a'.repeat(64),
  createdAt: 1_795_000_000_000,
  createdBy: 'key_1',
})

export const key = (id: string, tenant: string, more: Partial<KeyRow> = {}): KeyRow => ({
  id: `key_${id}`,
  tenant,
  name: 'a key',
  role: 'viewer',
  hash: `hash of ${tenant} ${id}`,
  createdAt: 1_795_000_000_000,
  createdBy: 'first-start',
  ...more,
})

const schedule = (name: string, tenant: string, more: Partial<ScheduleRow> = {}): ScheduleRow => ({
  tenant,
  name,
  id: `version of ${name}`,
  request: { agent: 'echo', input: { text: 'with "quotes" and 😀' } },
  when: { cron: '0 6 * * *', timeZone: 'Europe/Berlin' },
  overlap: 'allow',
  createdAt: 1_795_000_000_000,
  createdBy: 'key_1',
  nextAt: 1_795_000_100_000,
  ...more,
})

export const draft = (tenant: string, action: string) => ({
  at: 1,
  tenant,
  subject: 's',
  action,
  target: 't',
  status: 200,
  requestId: 'r',
  detail: { b: 1, a: 'x' },
})

export function storeContract(open: () => Promise<GatewayStore>): void {
  let store: GatewayStore
  before(async () => {
    store = await open()
  })
  after(async () => await store.close())

  test('a document is given back as it was put, to its own tenant only', async () => {
    await store.addDocument(document('1', 'one'))
    assert.deepEqual(await store.document('one', 'doc_1'), document('1', 'one'))
    assert.equal(await store.document('two', 'doc_1'), undefined)
  })

  test('a content is abandoned with its last document, and handed out until it could be cleared', async () => {
    const sha256 = 'b'.repeat(64)
    for (const [id, tenant] of [
      ['twin-1', 'one'],
      ['twin-2', 'two'],
    ] as const) {
      await store.addDocument({ ...document(id, tenant), sha256 })
    }
    const cleared: string[] = []
    const clear = () => store.clearContents(async (content) => void cleared.push(content))
    assert.equal(await store.removeDocument('two', 'doc_twin-1'), false, 'another tenant’s')
    assert.equal(await store.removeDocument('one', 'doc_twin-1'), true)
    assert.equal(await store.removeDocument('one', 'doc_twin-1'), false)
    await clear()
    assert.deepEqual(cleared, [], 'the twin has it still')
    await store.removeDocument('two', 'doc_twin-2')
    await assert.rejects(store.clearContents(() => Promise.reject(new Error('the blob store is away'))))
    await Promise.all([clear(), clear()])
    await clear()
    assert.deepEqual(cleared, [sha256])
  })

  test('a document that comes while its content is abandoned keeps it; one that comes while it is cleared waits', async () => {
    const sha256 = 'c'.repeat(64)
    const add = (id: string) => store.addDocument({ ...document(id, 'one'), sha256 })
    await add('first')
    await store.removeDocument('one', 'doc_first')
    await add('second')
    await store.clearContents(() => assert.fail('it is named again'))
    await store.removeDocument('one', 'doc_second')
    const order: string[] = []
    let adding: Promise<void> | undefined
    await store.clearContents(async () => {
      adding = add('third').then(() => void order.push('added'))
      await store.document('one', 'doc_third')
      order.push('cleared')
    })
    await adding
    assert.deepEqual(order, ['cleared', 'added'])
  })

  test('of documents of one content that come and go at once, none loses it', async () => {
    const sha256 = 'd'.repeat(64)
    await store.addDocument({ ...document('there', 'one'), sha256 })
    await Promise.all([
      ...Array.from({ length: 6 }, (_, count) => store.addDocument({ ...document(`new-${count}`, 'one'), sha256 })),
      store.removeDocument('one', 'doc_there'),
    ])
    await store.clearContents(() => assert.fail('it is named still'))
    await Promise.all(Array.from({ length: 6 }, (_, count) => store.removeDocument('one', `doc_new-${count}`)))
    let cleared = 0
    await store.clearContents(async () => void cleared++)
    assert.equal(cleared, 1)
  })

  test('a schedule is given back as it was put; another takes the place of one of its name', async () => {
    await store.putSchedule(schedule('a', 'one'))
    await store.putSchedule(schedule('b-1', 'one'))
    await store.putSchedule(schedule('a', 'two'))
    assert.deepEqual(await store.schedule('one', 'a'), schedule('a', 'one'))
    assert.equal(await store.schedule('three', 'a'), undefined)
    const later = schedule('a', 'one', { id: 'the second', when: { at: 1_795_000_200_000 }, nextAt: 1_795_000_200_000 })
    await store.putSchedule(later)
    assert.deepEqual(await store.schedule('one', 'a'), later)
    assert.equal(await store.countSchedules('one'), 2)
    const names = async (after?: string) =>
      (await store.schedules('one', { limit: 1, ...(after === undefined ? {} : { after }) })).map(({ name }) => name)
    assert.deepEqual([await names(), await names('a'), await names('b-1')], [['a'], ['b-1'], []])
    assert.equal(await store.removeSchedule('one', 'a'), true)
    assert.equal(await store.removeSchedule('one', 'a'), false)
    assert.ok(await store.schedule('two', 'a'))
  })

  test('a due schedule is advanced once, and only as it was read', async () => {
    const [early, late] = [schedule('early', 'due', { nextAt: 10 }), schedule('late', 'due', { nextAt: 20 })]
    await store.putSchedule(late)
    await store.putSchedule(early)
    assert.deepEqual(await store.dueSchedules(9, 10), [])
    assert.deepEqual(await store.dueSchedules(20, 10), [early, late])
    assert.deepEqual(await store.dueSchedules(20, 1), [early])
    const last = { at: 10, task: 'task_1' }
    assert.equal(await store.advanceSchedule(early, { nextAt: 30, last }), true)
    assert.equal(await store.advanceSchedule(early, { nextAt: 40, last }), false)
    assert.deepEqual(await store.schedule('due', 'early'), { ...early, nextAt: 30, last })
    await store.putSchedule({ ...late, id: 'another version' })
    assert.equal(await store.advanceSchedule(late, { last: { at: 20 } }), false, 'it was replaced since')
    assert.equal(await store.advanceSchedule({ ...late, id: 'another version' }, { last: { at: 20 } }), true)
    assert.deepEqual(await store.dueSchedules(29, 10), [])
    await store.forgetSchedules(20)
    assert.ok(await store.schedule('due', 'late'))
    await store.forgetSchedules(21)
    assert.equal(await store.schedule('due', 'late'), undefined)
    assert.ok(await store.schedule('due', 'early'), 'what fires again is kept')
  })

  test('documents and keys are listed newest first, a page at a time, for one tenant', async () => {
    for (const id of ['a', 'b', 'c']) {
      await store.addDocument(document(id, 'lister'))
      await store.addKey(key(id, 'lister'))
    }
    await store.addDocument(document('d', 'other'))
    await store.addKey(key('b2', 'other'))
    const first = await store.documents('lister', { limit: 2 })
    assert.deepEqual(
      first.map((row) => row.id),
      ['doc_c', 'doc_b'],
    )
    const rest = await store.documents('lister', { limit: 2, before: 'doc_b' })
    assert.deepEqual(
      rest.map((row) => row.id),
      ['doc_a'],
    )
    const keys = await store.keys('lister', { limit: 2, before: 'key_c' })
    assert.deepEqual(
      keys.map((row) => row.id),
      ['key_b', 'key_a'],
    )
  })

  test('a key is found by hash and by id, with what is optional', async () => {
    const full = key('full', 'one', { expiresAt: 5, requestsPerSecond: 0.5 })
    await store.addKey(full)
    assert.deepEqual(await store.keyByHash(full.hash), full)
    assert.deepEqual(await store.keyById(full.id), full)
    assert.equal(await store.keyByHash('unknown'), undefined)
  })

  test('a key is revoked once, and only by its own tenant', async () => {
    await store.addKey(key('gone', 'one'))
    assert.equal(await store.revokeKey('two', 'key_gone', 7), false)
    assert.equal(await store.revokeKey('one', 'key_gone', 7), true)
    assert.equal(await store.revokeKey('one', 'key_gone', 8), false)
    assert.equal((await store.keyById('key_gone'))?.revokedAt, 7)
  })

  test('the audit chain holds with many writers at a time', async () => {
    const batches = Array.from({ length: 20 }, (_, batch) =>
      store.appendAudit([draft('one', `first of ${batch}`), draft('two', `second of ${batch}`)], batch % 2 === 0),
    )
    await Promise.all(batches)
    const all = await store.audit({ order: 'asc', limit: 1_000 })
    assert.equal(all.length, 40)
    assert.deepEqual(verifyChain({ number: 0, hash: CHAIN_START }, all), {
      intact: true,
      head: { number: 40, hash: all.at(-1)!.hash },
    })
    const ofTwo = await store.audit({ tenant: 'two', order: 'asc', after: 10, limit: 5 })
    assert.ok(ofTwo.every((entry) => entry.tenant === 'two' && entry.number > 10))
    assert.equal(ofTwo.length, 5)
    const numbers = async (after?: number) => {
      const page = { order: 'desc' as const, limit: 3, ...(after === undefined ? {} : { after }) }
      return (await store.audit(page)).map(({ number }) => number)
    }
    assert.deepEqual([await numbers(), await numbers(38), await numbers(1)], [[40, 39, 38], [37, 36, 35], []])
    const newest = await store.audit({ tenant: 'two', order: 'desc', limit: 2 })
    assert.ok(newest.every((entry) => entry.tenant === 'two') && newest[0]!.number > newest[1]!.number)
  })

  test('audit entries of one batch are kept apart, whatever they say', async () => {
    const hostile = ['two\nlines', 'a "quote", a \\ and {1,NULL}', '', '\r\n\u2028\t😀', '\\n']
    const before = (await store.audit({ order: 'desc', limit: 1 }))[0]!
    await store.appendAudit(
      hostile.map((text) => ({ ...draft('hostile', text), target: text, detail: { text } })),
      true,
    )
    const kept = await store.audit({ order: 'asc', after: before.number, limit: 1_000 })
    assert.deepEqual(
      kept.map(({ action, target, detail }) => [action, target, detail]),
      hostile.map((text) => [text, text, { text }]),
    )
    assert.ok(verifyChain(before, kept).intact)
  })

  test('a webhook is replaced only as it was read; its own tenant alone replaces and removes it', async () => {
    const made = { url: 'https://example.org/', secret: 'sealed', createdAt: 1, createdBy: 'key_1' }
    const webhook = { ...made, id: 'hook_1', tenant: 'hooked', events: ['task.failed' as const] }
    await store.addWebhook(webhook)
    const [read] = await store.webhooks('hooked')
    assert.deepEqual(read, webhook)
    const next = { ...webhook, secret: 'another', old: { secret: 'sealed', until: 2 } }
    assert.equal(await store.replaceWebhook({ ...webhook, tenant: 'rival' }, next), false)
    assert.equal(await store.replaceWebhook(read!, next), true)
    assert.equal(await store.replaceWebhook(read!, { ...next, secret: 'late' }), false)
    assert.deepEqual(await store.webhooks('hooked'), [next])
    assert.equal(await store.removeWebhook('rival', 'hook_1'), false)
    assert.deepEqual([await store.removeWebhook('hooked', 'hook_1'), await store.webhooks('hooked')], [true, []])
    assert.equal(await store.replaceWebhook(next, webhook), false)
  })

  test('a quota is kept and replaced', async () => {
    assert.equal(await store.quota('one'), undefined)
    await store.setQuota('one', { tasksPerDay: 5 })
    await store.setQuota('one', { costMicrosPerMonth: 9 })
    assert.deepEqual(await store.quota('one'), { costMicrosPerMonth: 9 })
    await store.setQuota('a-b', { tasksPerDay: 0 })
    await store.setQuota('unbounded', {})
    assert.deepEqual(await store.quotas({ limit: 1 }), [{ tenant: 'a-b', quota: { tasksPerDay: 0 } }])
    assert.deepEqual(await store.quotas({ after: 'a-b', limit: 9 }), [
      { tenant: 'one', quota: { costMicrosPerMonth: 9 } },
    ])
  })

  test('a secret is the one that came first, for everyone', async () => {
    const given = await Promise.all(['a', 'b', 'c'].map((value) => store.secret('shared', value)))
    assert.equal(new Set(given).size, 1)
    assert.equal(await store.secret('shared', 'd'), given[0])
  })
}
