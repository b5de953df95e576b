import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '../../../src/contract/ids.ts'
import { MAX_MESSAGE_BYTES, MAX_VALUE_BYTES } from '../../../src/contract/limits.ts'
import {
  accepted,
  apply,
  asleep,
  basisOf,
  type Current,
  commitOn,
  loaded,
  mailOf,
  makeTask,
  newTenant,
  owned,
  signal,
} from './make.ts'

const STRANGE = {
  nul: 'a\u0000b',
  lone: '\ud800',
  emoji: '👩‍🚀',
  quotes: `'"\\`,
  reference: { $blob: 'not a blob', bytes: 1 },
  at: '@0123:4',
  deep: [[[{ '': null, '\u0000': true }]]],
  numbers: [0, -0.5, 1e300, Number.MAX_SAFE_INTEGER],
}

export function valueTests(current: Current): void {
  test('values come back unchanged: NUL, lone surrogates, what looks like a reference', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'), { input: STRANGE })
    const event = { type: 'emitted', event: { type: 'x', STRANGE } } as const
    await journal.deliver({
      id: newId('msg'),
      to: task.id,
      from: 'tester',
      body: { kind: 'event', event: event.event },
    })
    await apply(
      journal,
      commitOn(task, {
        snapshot: STRANGE,
        output: STRANGE,
        events: [event],
        steps: { 'step é': { ok: true, value: STRANGE } },
        waitingFor: { kind: 'person', detail: STRANGE.nul },
        usage: { inputTokens: 1, outputTokens: 1, costMicros: 1 },
      }),
    )
    const { task: row, steps, mail } = await loaded(journal, task.id)
    for (const value of [row.input, row.snapshot, row.output]) assert.deepEqual(value, STRANGE)
    assert.deepEqual(steps, { 'step é': { ok: true, value: STRANGE } })
    assert.deepEqual(mail[0]?.body, { kind: 'event', event: event.event })
    assert.equal(row.waitingFor?.detail, STRANGE.nul)
    assert.deepEqual((await journal.events(task.id, 2, 1))[0]?.body, event)
  })

  test('values up to 16 MB travel through input, snapshot, steps, output and a reply', async () => {
    const journal = current()
    const big = (mark: string) => mark.repeat(MAX_VALUE_BYTES - 2)
    const parent = await asleep(journal)
    const task = await owned(journal, newId('host'), { input: big('i'), parent: { taskId: parent.id, stepId: 's' } })
    assert.equal(task.input, big('i'))
    const body = {
      kind: 'reply',
      stepId: 's',
      invocation: 1,
      childId: task.id,
      outcome: { ok: true, value: big('o') },
      state: 'completed',
    } as const
    const one = await apply(
      journal,
      commitOn(task, {
        snapshot: big('s'),
        steps: { s: { ok: true, value: 'é'.repeat(5_000_000) } },
      }),
    )
    const before = await loaded(journal, task.id)
    assert.ok(before.task.input === big('i') && before.task.snapshot === big('s'))
    assert.deepEqual(before.steps.s, { ok: true, value: 'é'.repeat(5_000_000) })
    await apply(
      journal,
      commitOn(
        { ...task, ...basisOf(one) },
        {
          state: 'completed',
          release: true,
          output: big('o'),
          messages: [{ id: newId('msg'), to: parent.id, from: task.id, body }],
        },
      ),
    )
    assert.ok((await journal.get(task.id))?.output === big('o'))
    assert.deepEqual(await mailOf(journal, parent.id), [body])
  })

  test('a list names large values without reading them', async () => {
    const journal = current()
    const tenant = newTenant()
    await accepted(journal, { tenant, input: 'x'.repeat(100_000) })
    const [task] = (await journal.list({ tenant, limit: 1 })).tasks
    const input = task!.input as { $blob: string; bytes: number }
    assert.match(input.$blob, /^[0-9a-f]{64}$/)
    assert.equal(input.bytes, 100_002)
  })

  test('a value over its limit is refused as value_too_large, and nothing of its commit happens', async () => {
    const journal = current()
    const tooLarge = 'x'.repeat(MAX_VALUE_BYTES)
    await assert.rejects(async () => journal.accept(makeTask({ input: tooLarge })), { code: 'value_too_large' })
    const task = await owned(journal, newId('host'))
    const before = await loaded(journal, task.id)
    for (const change of [
      { snapshot: tooLarge },
      { output: tooLarge },
      { steps: { s: { ok: true, value: tooLarge } as const } },
      { events: [{ type: 'tokens', text: 'x'.repeat(MAX_MESSAGE_BYTES) } as const] },
      { children: [makeTask({ input: tooLarge })] },
    ]) {
      await assert.rejects(async () => journal.commit(commitOn(task, change)), { code: 'value_too_large' })
    }
    const message = signal(task.id, 'x'.repeat(MAX_MESSAGE_BYTES))
    await assert.rejects(async () => journal.deliver(message), { code: 'value_too_large' })
    assert.deepEqual(await loaded(journal, task.id), before)
  })

  test('an id with a NUL is refused as invalid_input', async () => {
    const journal = current()
    await assert.rejects(async () => journal.accept(makeTask({ idempotencyKey: 'a\u0000' })), { code: 'invalid_input' })
    const task = await accepted(journal)
    await assert.rejects(async () => journal.deliver(signal(task.id, 'a', 'm\u0000')), { code: 'invalid_input' })
  })

  test('an id with half a character is refused: it would be read back as another', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'))
    for (const change of [
      { timersSet: [{ id: '\ud800', inMs: 1 }] },
      { steps: { '\udfff': { ok: true, value: 1 } as const } },
      { children: [makeTask({ parent: { taskId: task.id, stepId: 'a\ud800' } })] },
      { children: [makeTask({ parent: { taskId: task.id, stepId: 'a\u0000' } })] },
    ]) {
      await assert.rejects(async () => journal.commit(commitOn(task, change)), { code: 'invalid_input' })
    }
  })

  test('a timer that could never come is refused, and one that is overdue is not', async () => {
    const journal = current()
    const task = await owned(journal, newId('host'))
    for (const inMs of [Number.NaN, Number.POSITIVE_INFINITY, 1e300, undefined as never, '20' as never]) {
      const commit = async () => journal.commit(commitOn(task, { timersSet: [{ id: 'pause', inMs }] }))
      await assert.rejects(commit, { code: 'invalid_input' }, String(inMs))
    }
    const late = await journal.commit(commitOn(task, { timersSet: [{ id: 'pause', inMs: -5 }] }))
    assert.equal(late.applied, true)
  })

  test('a value that JSON cannot hold is refused as invalid_input', async () => {
    await assert.rejects(async () => current().accept(makeTask({ input: 1n })), { code: 'invalid_input' })
  })
}
