// Labels, and the notices that tell a task's callbacks of its news.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Callback } from '../../../src/contract/callbacks.ts'
import type { NewTask } from '../../../src/journal/journal.ts'
import { noticesOf } from '../../../src/journal/notices.ts'
import { accepted, apply, type Current, commitOn, leased, makeTask, newTenant, owned } from './make.ts'

const url: Callback = { url: 'https://example.org/', secret: 'sealed' }
const notFailed: Callback = { url: 'https://example.org/2', secret: 'sealed', events: ['task.completed'] }

export function labelTests(current: Current): void {
  test('a task is found by its labels, all of them, in pages, and only by its own tenant', async () => {
    const journal = current()
    const [tenant, other] = [newTenant(), newTenant()]
    const ids: string[] = []
    for (let n = 0; n < 7; n++) {
      const labels = { customer: n % 2 === 0 ? 'even' : 'odd', run: '2026:11' }
      ids.push((await accepted(journal, { tenant, labels })).id)
    }
    await accepted(journal, { tenant })
    await accepted(journal, { tenant: other, labels: { customer: 'even', run: '2026:11' } })
    const found = async (labels: string[], more = {}) => {
      const all: string[] = []
      for (let cursor: string | undefined, pages = 0; pages < 9; pages++) {
        const at = cursor === undefined ? {} : { cursor }
        const page = await journal.list({ tenant, labels, limit: 2, ...at, ...more })
        all.push(...page.tasks.map(({ id }) => id))
        cursor = page.nextCursor
        if (cursor === undefined) break
      }
      return all
    }
    const even = ids.filter((_, n) => n % 2 === 0).reverse()
    assert.deepEqual(await found(['customer:even']), even)
    assert.deepEqual(await found(['run:2026:11', 'customer:even']), even)
    assert.deepEqual(await found(['run:2026:11']), [...ids].reverse())
    assert.deepEqual(await found(['customer:even', 'customer:odd']), [])
    assert.deepEqual(await found(['customer:even'], { states: ['queued', 'running'] }), even)
    assert.deepEqual(await found(['customer:even'], { states: ['completed', 'failed'] }), [])
    assert.deepEqual(await found(['customer:even'], { agent: 'nobody' }), [])
  })

  test('what is attached to a task comes back: metadata, labels and callbacks, alone and together', async () => {
    const journal = current()
    const kinds: Pick<NewTask, 'metadata' | 'labels' | 'callbacks'>[] = [
      {},
      { metadata: { a: '[\u0000]' } },
      { labels: { a: 'x' } },
      { callbacks: [url] },
      { metadata: { a: '\ud800\u0000"' }, labels: { 'a.b/c': 'x:y z' }, callbacks: [url, notFailed] },
    ]
    for (const kind of kinds) {
      const task = await accepted(journal, kind)
      for (const read of [task, (await journal.get(task.id))!, (await journal.load(task.id))!.task]) {
        const { metadata, labels, callbacks } = read
        assert.deepEqual(JSON.parse(JSON.stringify({ metadata, labels, callbacks })), kind)
      }
    }
  })

  test('a label that is not text is refused', async () => {
    for (const wrong of ['\0', '\ud800']) {
      await assert.rejects(current().accept(makeTask({ labels: { a: wrong } })), { code: 'invalid_input' })
    }
  })

  test('a purged task leaves no label behind', async () => {
    const journal = current()
    const tenant = newTenant()
    const task = await owned(journal, 'host_labels', { tenant, labels: { a: 'b' } })
    await apply(journal, commitOn(task, { state: 'completed', release: true, events: [{ type: 'task.completed' }] }))
    const labels = ['a:b']
    assert.equal((await journal.list({ tenant, labels, limit: 5 })).tasks.length, 1)
    while ((await journal.purge((await journal.now()) + 60_000, 1_000)) > 0);
    assert.equal((await journal.list({ tenant, labels, limit: 5 })).tasks.length, 0)
    // A list looks for the tasks of labels: one of the same id would be found by what its forerunner left.
    await accepted(journal, { tenant, id: task.id })
    assert.deepEqual((await journal.list({ tenant, labels, limit: 5 })).tasks, [])
    const { id } = await accepted(journal, { tenant, labels: { a: 'b' } })
    assert.deepEqual(
      (await journal.list({ tenant, labels, limit: 5 })).tasks.map((found) => found.id),
      [id],
    )
  })

  test('the notices of an end are accepted in its commit, and not when the commit is refused', async () => {
    const journal = current()
    const tenant = newTenant()
    const task = await owned(journal, 'host_notices', { tenant, callbacks: [url, notFailed] })
    const events = [{ type: 'task.failed' as const, error: { code: 'step_failed' as const, message: 'no' } }]
    const children = noticesOf(task, { state: 'failed', events })
    assert.equal(children.length, 1, 'the second callback wants no failures')
    const ends = { state: 'failed' as const, release: true, events, children }
    const refused = await journal.commit(commitOn({ ...task, epoch: task.epoch + 1 }, ends))
    assert.equal(refused.applied, false)
    assert.equal(await journal.get(children[0]!.id), undefined)
    const outcome = await apply(journal, commitOn(task, ends))
    assert.deepEqual(
      outcome.children.map(({ id }) => id),
      children.map(({ id }) => id),
    )
    const input = { task: task.id, number: outcome.lastEvent, event: 'task.failed', callback: 0 }
    assert.deepEqual((await journal.get(children[0]!.id, tenant))?.input, input)
    const labels = [`troupe.delivery-of:${task.id}`]
    assert.equal((await journal.list({ tenant, labels, limit: 5 })).tasks.length, 1)
  })

  test('a poisoned task has nobody left to tell its callbacks: the journal does', async () => {
    const journal = current()
    const tenant = newTenant()
    const { id } = await accepted(journal, { tenant, callbacks: [notFailed, url], traceparent: '00-a-b-01' })
    for (let deaths = 0; deaths < 3; deaths++) {
      const claim = await leased(journal)
      const task = (await journal.load(id))!.task
      await apply(journal, commitOn(task, { claim, events: [{ type: 'task.started', host: claim.hostId }] }))
      await journal.endLease(claim.hostId)
      await journal.findOrphans({ unclaimedMs: 600_000, limit: 1_000 })
    }
    const ended = (await journal.get(id))!
    assert.equal(ended.error?.code, 'task_poisoned')
    const labels = [`troupe.delivery-of:${id}`]
    const { tasks } = await journal.list({ tenant, labels, limit: 5 })
    const input = { task: id, number: ended.lastEvent, event: 'task.failed', callback: 1 }
    assert.deepEqual(
      tasks.map((task) => [task.agent, task.state, task.input, task.traceparent]),
      [['webhook', 'queued', input, '00-a-b-01']],
    )
    // The same id as an actor's notice of this event would have.
    const before = { ...ended, depth: 0, state: 'running' as const, lastEvent: ended.lastEvent - 1 }
    const same = noticesOf(before, { state: 'failed', events: [{ type: 'task.completed' }] })
    assert.equal(tasks[0]!.id, same[0]!.id)
    const offered = await journal.findOrphans({ unclaimedMs: 0, limit: 100_000 })
    assert.ok(offered.some(({ taskId }) => taskId === tasks[0]!.id))
  })
}
