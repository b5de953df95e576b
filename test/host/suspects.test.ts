import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSuspects, PROBATION_MS } from '../../src/host/suspects.ts'

test('tasks whose hosts died twice run one at a time, so that only the guilty one is there at the third death', () => {
  let now = 0
  const suspects = createSuspects(() => now)
  assert.ok(suspects.admit({ id: 'poison', ownerDeaths: 2 }))
  assert.ok(!suspects.admit({ id: 'bystander', ownerDeaths: 2 }))
  assert.ok(suspects.admit({ id: 'anybody', ownerDeaths: 1 }))
  suspects.leave('poison')
  assert.ok(suspects.admit({ id: 'bystander', ownerDeaths: 2 }))
  assert.ok(!suspects.admit({ id: 'third', ownerDeaths: 2 }))
  now += PROBATION_MS
  assert.ok(suspects.admit({ id: 'third', ownerDeaths: 2 }), 'a long task does not hold the others up')
})
