import assert from 'node:assert/strict'
import { test } from 'node:test'
import converter from '../../examples/currency-converter/index.ts'
import { crashEverywhere } from '../../src/sdk/testing/index.ts'

test('crashEverywhere leaves no timer behind: an author’s tests end when their last assertion does', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  const report = await crashEverywhere(converter, { amount: 10, from: 'EUR', to: 'USD' })
  assert.ok(report.commits >= 2)
  assert.equal(timers(), before)
})
