import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crashEverywhere, runAgent } from '@troupe/sdk/testing'
import converter from '../index.ts'

const rates = { date: '2025-06-01', perEuro: { EUR: 1, USD: 2, GBP: 0.5 } }

test('an amount is converted by the rates of the input', async () => {
  const { task } = await runAgent(converter, { amount: 10, from: 'USD', to: 'GBP', rates })
  assert.deepEqual(task.output, { amount: 2.5, currency: 'GBP', rate: 0.25, date: '2025-06-01' })
})

test('a currency without a rate fails the task as wrong input', async () => {
  const { task } = await runAgent(converter, { amount: 1, from: 'EUR', to: 'XXX', rates })
  assert.equal(task.error?.code, 'invalid_input')
})

test('a crash at any commit changes nothing in the outcome', async () => {
  const report = await crashEverywhere(converter, { amount: 10, from: 'EUR', to: 'USD' })
  assert.deepEqual([report.differences, report.gaps], [[], []])
})
