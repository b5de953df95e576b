import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLanes } from '../../src/bus/lanes.ts'

test('higher lanes come first', () => {
  const lanes = createLanes<string>(['high', 'normal', 'low'], 10)
  lanes.put('low', 'l')
  lanes.put('normal', 'n')
  lanes.put('high', 'h')
  assert.deepEqual([lanes.take(), lanes.take(), lanes.take(), lanes.take()], ['h', 'n', 'l', undefined])
})

test('a flood of urgent work does not starve the rest', () => {
  const lanes = createLanes<string>(['high', 'normal', 'low'], 1_000)
  for (let n = 0; n < 100; n++) lanes.put('high', 'h')
  lanes.put('low', 'l')
  const taken = Array.from({ length: 20 }, () => lanes.take())
  assert.ok(taken.includes('l'))
})

test('a full queue refuses, and takes again when there is room', () => {
  const lanes = createLanes<number>(['only'], 2)
  assert.deepEqual([lanes.put('only', 1), lanes.put('only', 2), lanes.put('only', 3)], [true, true, false])
  lanes.take()
  assert.equal(lanes.put('only', 4), true)
})
