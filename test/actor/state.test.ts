import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ActorState, emptyState, isEmptyState } from '../../src/actor/state.ts'

const PARTS: Partial<ActorState>[] = [
  { machine: { value: 'a', context: {} } },
  { version: '2.0.0' },
  { steps: { a: { kind: 'step', src: 'a', invocation: 1, attempt: 1 } } },
  { timers: { a: { event: { type: 'a' }, inMs: 1 } } },
  { invocations: { a: 1 } },
  { crashes: [1] },
  { ended: true },
  { inbox: [] },
  { waits: {} },
]

test('a state is empty as it begins, and no more with any of its parts', () => {
  assert.equal(isEmptyState(emptyState()), true)
  for (const part of PARTS) assert.equal(isEmptyState({ ...emptyState(), ...part }), false, JSON.stringify(part))
})
