import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../../src/contract/ids.ts'
import { apply, asleep, type Current, commitOn, failed, newTenant, owned, signal } from './make.ts'

export function erasingTests(current: Current): void {
  test('erase deletes ended tasks of a tenant with all that belongs to them; what they spent is still counted', async () => {
    const journal = current()
    const tenant = newTenant()
    const key = { tenant, idempotencyKey: 'k', requestHash: 'h' }
    const [one, other] = [
      await owned(journal, newId('host'), { ...key, input: 'x'.repeat(100_000), labels: { a: 'b' } }),
      await owned(journal, newId('host'), { tenant }),
    ]
    const foreign = await owned(journal, newId('host'), { tenant: newTenant() })
    const usage = { inputTokens: 1, outputTokens: 2, costMicros: 3 }
    for (const task of [one, other, foreign]) {
      const events = [{ type: 'task.completed' as const }]
      await apply(journal, commitOn(task, { state: 'completed', release: true, usage, events }))
    }
    const spent = await journal.usage(tenant, 0)
    const wanted = [one.id, foreign.id, one.id, newId('task')]
    assert.deepEqual(await journal.erase(tenant, wanted), { erased: 1, notEnded: [] })
    assert.deepEqual(await journal.erase(tenant, wanted), { erased: 0, notEnded: [] })
    assert.equal(await journal.get(one.id), undefined)
    assert.deepEqual(await journal.events(one.id, 0, 10), [])
    assert.deepEqual(
      (await journal.list({ tenant, limit: 9 })).tasks.map(({ id }) => id),
      [other.id],
    )
    assert.deepEqual((await journal.list({ tenant, labels: ['a:b'], limit: 9 })).tasks, [])
    assert.equal((await journal.get(foreign.id))?.state, 'completed')
    assert.deepEqual(await journal.usage(tenant, 0), spent)
    assert.equal((await journal.accept({ ...one, id: newId('task'), ...key, input: 1 })).created, true)
  })

  test('while one of them has not ended, erase deletes none', async () => {
    const journal = current()
    const tenant = newTenant()
    const ended = await owned(journal, newId('host'), { tenant })
    await failed(journal, ended)
    const waiting = await asleep(journal, { tenant })
    const both = [ended.id, waiting.id]
    assert.deepEqual(await journal.erase(tenant, both), { erased: 0, notEnded: [waiting.id] })
    await journal.reopen(ended.id)
    assert.deepEqual(await journal.erase(tenant, [ended.id]), { erased: 0, notEnded: [ended.id] })
    assert.equal((await journal.list({ tenant, limit: 9 })).tasks.length, 2)
  })

  test('a commit for a task that was erased is refused', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'))
    const end = commitOn(task, { state: 'completed', release: true, events: [{ type: 'task.completed' }] })
    await apply(journal, end)
    await journal.erase(task.tenant, [task.id])
    assert.deepEqual(await journal.commit(end), { applied: false, because: 'unknown_task' })
    assert.deepEqual(await journal.deliver(signal(task.id, 'late')), { delivered: false, because: 'unknown_task' })
    assert.equal(await journal.reopen(task.id), undefined)
  })
}
