import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccounts } from '../../src/isolation/accounts.ts'
import type { TaskRow } from '../../src/journal/journal.ts'

const usage = (inputTokens: number, outputTokens = 0, costMicros = 0) => ({ inputTokens, outputTokens, costMicros })
const task = (more: Partial<TaskRow> = {}) => ({ id: 'task_own', ...more }) as TaskRow

test('a commit that tells less than was spent is corrected, one that tells more is believed', () => {
  const accounts = createAccounts()
  assert.deepEqual(accounts.settle({ taskId: 'task_own', usage: usage(7) }), {})
  accounts.spend(task({ usage: usage(10) }), usage(5, 2, 3))
  assert.deepEqual(accounts.settle({ taskId: 'task_own' }), { usage: usage(15, 2, 3) })
  assert.deepEqual(accounts.settle({ taskId: 'task_own', usage: usage(1) }), { usage: usage(15, 2, 3) })
  // It spent something itself, which only it knows of; what comes next is added to that.
  assert.deepEqual(accounts.settle({ taskId: 'task_own', usage: usage(20, 2, 3) }), { usage: usage(20, 2, 3) })
  accounts.spend(task(), usage(1))
  assert.deepEqual(accounts.settle({ taskId: 'task_own' }), { usage: usage(21, 2, 3) })
})

test('a budget of tokens or of money is an end, whoever counts', () => {
  const accounts = createAccounts()
  const poor = task({ budget: { tokens: 10 } })
  accounts.check(poor)
  assert.throws(() => accounts.spend(poor, usage(6, 5)), { code: 'budget_exceeded' })
  assert.throws(() => accounts.check(poor), { code: 'budget_exceeded' })
  accounts.forget('task_own')
  const thrifty = task({ budget: { costMicros: 100 }, usage: usage(0, 0, 99) })
  accounts.check(thrifty)
  assert.throws(() => accounts.spend(thrifty, usage(0, 0, 2)), { code: 'budget_exceeded' })
})
