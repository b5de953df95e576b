// `troupe up` and a process that hangs: no exit tells of it, so only its silence can. That a machine
// which slept accuses nobody is tested where the clock is driven (test/supervision/liveness.test.ts).
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { LEASE_MS } from '../../src/contract/limits.ts'
import { eventually } from '../support/eventually.ts'
import { gone, ROOT, startInstallation, temporaryFolder } from './installation.ts'

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

test('a core that slept for longer than a lease goes on with what it ran: nobody else could have', async (t) => {
  const env = { TROUPE_AGENTS: join(ROOT, 'test', 'chaos', 'agents'), CHAOS_FOLDER: temporaryFolder() }
  const troupe = await startInstallation({ env })
  t.after(() => troupe.stop())
  const { pid } = (await troupe.child('core')).facts
  const { id } = await troupe.call('POST', '/v1/tasks', { agent: 'chaos-ledger', input: { ms: 500 } })
  process.kill(pid, 'SIGSTOP')
  // The journal judges leases by real time.
  await wait(LEASE_MS + 1_000)
  process.kill(pid, 'SIGCONT')
  const state = async () => (await troupe.call('GET', `/v1/tasks/${id}`)).state
  await eventually('its task completes', async () => (await state()) === 'completed')
  const { events } = await troupe.call('GET', `/v1/tasks/${id}/events`)
  const types = events.map(({ type }: { type: string }) => type)
  assert.ok(!types.includes('task.owner_lost'), types.join(', '))
  assert.equal((await troupe.child('core')).facts.pid, pid)
})
