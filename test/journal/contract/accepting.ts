import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../../src/contract/ids.ts'
import { accepted, apply, type Current, commitOn, eventTypes, makeTask, newTenant, owned } from './make.ts'

export function acceptingTests(current: Current): void {
  test('an accepted task is queued, un-owned, and its log begins with task.accepted', async () => {
    const journal = current()
    const task = makeTask({
      metadata: { colour: 'red' },
      budget: { tokens: 5 },
      deadline: 4_102_444_800_000,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    })
    const { task: row, created } = await journal.accept(task)
    assert.equal(created, true)
    assert.equal(row.state, 'queued')
    assert.equal(row.owner, undefined)
    const { requestHash: _, ...told } = task
    for (const [name, value] of Object.entries(told)) {
      assert.deepEqual((await journal.get(task.id))![name as 'id'], value, name)
    }
    assert.deepEqual({ ...(await journal.load(task.id))!.task }, row)
    assert.deepEqual(await eventTypes(journal, task.id), ['task.accepted'])
  })

  test('a second accept of the same id answers with the first task and changes nothing', async () => {
    const journal = current()
    const task = makeTask({ input: 'first' })
    await journal.accept(task)
    const again = await journal.accept({ ...task, input: 'second' })
    assert.equal(again.created, false)
    assert.equal(again.task.input, 'first')
  })

  test('an idempotency key used again by its tenant answers with the earlier task, also when both come at once', async () => {
    const journal = current()
    const tenant = newTenant()
    const key = { tenant, idempotencyKey: 'order-1', requestHash: 'h1' }
    const answers = await Promise.all([
      journal.accept(makeTask(key)),
      journal.accept(makeTask(key)),
      journal.accept(makeTask(key)),
    ])
    assert.equal(answers.filter(({ created }) => created).length, 1)
    assert.equal(new Set(answers.map(({ task }) => task.id)).size, 1)
    assert.equal((await journal.list({ tenant, limit: 10 })).tasks.length, 1)
  })

  test('an idempotency key belongs to its tenant', async () => {
    const journal = current()
    const [one, other] = [newTenant(), newTenant()]
    const first = await journal.accept(makeTask({ tenant: one, idempotencyKey: 'k', requestHash: 'a' }))
    const second = await journal.accept(makeTask({ tenant: other, idempotencyKey: 'k', requestHash: 'b' }))
    assert.ok(first.created && second.created)
  })

  test('an idempotency key with a different request is refused as idempotency_conflict; its neighbours are accepted', async () => {
    const journal = current()
    const tenant = newTenant()
    await journal.accept(makeTask({ tenant, idempotencyKey: 'k', requestHash: 'a' }))
    const [refused, neighbour] = await Promise.allSettled([
      journal.accept(makeTask({ tenant, idempotencyKey: 'k', requestHash: 'b' })),
      journal.accept(makeTask({ tenant })),
    ])
    assert.equal(refused.status, 'rejected')
    assert.equal(refused.reason.code, 'idempotency_conflict')
    assert.equal(neighbour.status, 'fulfilled')
  })

  test('children are accepted in their parent’s commit', async () => {
    const journal = current()
    const parent = await owned(journal, newId('host'))
    const child = makeTask({ parent: { taskId: parent.id, stepId: 'ask' }, depth: 1, deadline: 1 })
    const outcome = await apply(journal, commitOn(parent, { children: [child] }))
    assert.deepEqual(
      outcome.children.map(({ id, epoch, version, state }) => ({ id, epoch, version, state })),
      [{ id: child.id, epoch: 0, version: 0, state: 'queued' }],
    )
    const row = (await journal.get(child.id))!
    assert.deepEqual(row.parent, { taskId: parent.id, stepId: 'ask' })
    assert.deepEqual(await eventTypes(journal, child.id), ['task.accepted'])
    const { tasks } = await journal.list({ parent: parent.id, limit: 10 })
    assert.deepEqual(
      tasks.map(({ id }) => id),
      [child.id],
    )
  })

  test('children of a refused commit do not exist', async () => {
    const journal = current()
    const parent = await owned(journal, newId('host'))
    const child = makeTask({ parent: { taskId: parent.id, stepId: 'ask' } })
    const outcome = await journal.commit(commitOn({ ...parent, epoch: parent.epoch - 1 }, { children: [child] }))
    assert.equal(outcome.applied, false)
    assert.equal(await journal.get(child.id), undefined)
  })

  test('accepts of one moment all get their own task', async () => {
    const journal = current()
    const tenant = newTenant()
    const tasks = await Promise.all(Array.from({ length: 200 }, (_, n) => accepted(journal, { tenant, input: n })))
    assert.equal(new Set(tasks.map(({ id }) => id)).size, 200)
    for (const { id, input } of tasks) assert.equal((await journal.get(id))!.input, input)
  })
}
