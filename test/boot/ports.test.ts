// The ports that an installation chooses for its processes before any of them listens.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimPort, preferPort } from '../../src/boot/ports.ts'

test('no port is given twice, though nothing listens on those that were given', async () => {
  const first = await claimPort('127.0.0.1', 0)
  const given = [first]
  // Of twenty thousand there would be a hundred twice.
  for (let n = 0; n < 2_000; n++) given.push(await preferPort('127.0.0.1', n % 100 === 0 ? first : 0))
  assert.equal(new Set(given).size, given.length)
})
