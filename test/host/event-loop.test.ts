// A step that computes on the event loop keeps the lease from being renewed: the host must know, say so, and fence itself.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { LEASE_MS } from '../../src/contract/limits.ts'
import { watchEventLoop } from '../../src/host/event-loop.ts'
import { keepLease } from '../../src/host/lease.ts'
import type { HostLease } from '../../src/journal/journal.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'

/** Nothing else of this process runs meanwhile. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

async function leased(t: TestContext, more: { leaseMs?: number } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-loop-'))
  const journal = await openSqliteJournal({ folder })
  const renewals: HostLease[] = []
  const troubles: string[] = []
  const lost = Promise.withResolvers<void>()
  const renewed = () => new Promise<void>((resolve) => listeners.push(resolve))
  const listeners: (() => void)[] = []
  const keeper = await keepLease({
    journal: {
      ...journal,
      async keepLease(lease) {
        renewals.push(lease)
        const kept = await journal.keepLease(lease)
        for (const listener of listeners.splice(0)) listener()
        return kept
      },
    },
    ...more,
    hostId: 'host_1',
    info: () => ({ label: 'here' }),
    onLost: lost.resolve,
    onTrouble: (what, error) => troubles.push(`${what}: ${(error as Error).message}`),
  })
  t.after(async () => {
    keeper.stop()
    await journal.close()
    rmSync(folder, { recursive: true })
  })
  return { journal, renewals, troubles, lost: lost.promise, renewed }
}

test('the longest delay is the time beyond the tick, counts what goes on now, and is told once', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let now = 0
  const heard: number[] = []
  const loop = watchEventLoop(
    (ms) => heard.push(ms),
    () => now,
  )
  now = 30
  t.mock.timers.tick(25)
  now = 500
  assert.equal(loop.longest(), 445, 'the tick that is late has not run yet')
  t.mock.timers.tick(25)
  assert.equal(loop.longest(), 445)
  assert.equal(loop.longest(), 0)
  assert.deepEqual(heard, [5, 445])
  loop.stop()
  now = 9_000
  t.mock.timers.tick(25)
  assert.equal(heard.length, 2)
})

test('a loop that stood still for most of a lease is reported with the next renewal, and the lease is kept', async (t) => {
  const { renewals, troubles, renewed } = await leased(t)
  const next = renewed()
  block(2_300)
  await next
  assert.equal(renewals.length, 2)
  const { loopDelayMs, label } = renewals[1]!.info as { loopDelayMs: number; label: string }
  assert.ok(loopDelayMs >= 2_000, `${loopDelayMs} ms`)
  assert.equal(label, 'here')
  assert.match(troubles[0]!, /^the event loop: It stood still for 2[0-9]{3} ms/)
})

test('a host whose loop stood still for longer than its lease stops its actors without asking the journal', async (t) => {
  const { renewals, troubles, lost } = await leased(t)
  block(LEASE_MS + 200)
  await lost
  assert.equal(renewals.length, 1, 'only the lease it began with')
  assert.match(troubles[0]!, /^the event loop: It stood still for 3[0-9]{3} ms/)
})

test('a host that is alone keeps a lease that outlasts its sleep', async (t) => {
  const { journal, troubles, renewed, lost } = await leased(t, { leaseMs: 60_000 })
  const next = renewed()
  block(LEASE_MS + 200)
  assert.ok((await journal.hosts())[0]!.alive)
  assert.equal(await Promise.race([next.then(() => 'renewed'), lost.then(() => 'lost')]), 'renewed')
  assert.match(troubles[0]!, /^the event loop: It stood still for 3[0-9]{3} ms/)
})
