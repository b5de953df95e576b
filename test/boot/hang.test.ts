// `troupe up` and a process that hangs: no exit tells of it, so only its silence can. That a machine
// which slept accuses nobody is tested where the clock is driven (test/supervision/liveness.test.ts).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { gone, startInstallation } from './installation.ts'

test('a core that was stopped is replaced, its tasks go on, and the operator is told', async (t) => {
  const troupe = await startInstallation({ env: { TROUPE_HANG_MS: '3000' } })
  t.after(() => troupe.stop())
  const before = await troupe.child('core')
  const body = {
    agent: 'document-analyzer',
    input: { document: { text: 'Dear Ada, 950 EUR are due.', name: 'a.txt' } },
  }
  const { id } = await troupe.call('POST', '/v1/tasks', body)
  process.kill(before.facts.pid, 'SIGSTOP')
  await gone(before.facts.pid)
  await troupe.saying(/core did not answer for 3 s and was killed; starting it again/)
  await troupe.saying(/core serves again/)
  // A connection of before may be among those that broke.
  const task = () => troupe.call('GET', `/v1/tasks/${id}`).catch(() => undefined)
  const state = async () => (await task())?.state
  await eventually('its task completes', async () => (await state()) === 'completed')
  const now = await troupe.child('core')
  assert.equal(now.restarts, before.restarts + 1)
  assert.match((await troupe.troupe(['tree'])).out, /last error: troupe\/core did not answer for 3 s and was killed/)
})
