// The guard knows the tasks that its plug-in was given, and not for ever; and it keeps for one process what one needs.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createInProcessBus } from '../../src/bus/in-process.ts'
import { newId } from '../../src/contract/ids.ts'
import { unobserved } from '../../src/host/observe.ts'
import { absentServices } from '../../src/host/services.ts'
import { type Channel, createGuard, createPeer } from '../../src/isolation/index.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { AgentRegistry, NO_PERMISSIONS } from '../../src/plugins/index.ts'

/** As the guard keeps. */
const MOST = 10_000

function pair(): [Channel, Channel] {
  const handlers: ((message: unknown) => void)[] = [() => {}, () => {}]
  const side = (own: number): Channel => ({
    send: (message) => queueMicrotask(() => handlers[1 - own]!(message)),
    onMessage(handler) {
      handlers[own] = handler
    },
  })
  return [side(0), side(1)]
}

async function guarded(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-known-'))
  const journal = await openSqliteJournal({ folder })
  const bus = createInProcessBus()
  const [here, there] = pair()
  const guard = createGuard(
    {
      journal,
      bus,
      services: absentServices,
      agents: new AgentRegistry(),
      plugin: { name: 'plugin', agents: ['own'], permissions: NO_PERMISSIONS },
      label: 'plugin',
      secrets: [],
      onHeard() {},
      observe: unobserved,
    },
    here,
  )
  t.after(async () => {
    await guard.close()
    await bus.close()
    await journal.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { journal, bus, plugin: createPeer(there, {}) }
}

test('a task that is at work is not forgotten for the thousands that were given after it', async (t) => {
  const { journal, plugin } = await guarded(t)
  const hostId = newId('host')
  await plugin.call('keepLease', { hostId, info: {}, leaseMs: 10_000 })
  const tasks = await Promise.all(
    Array.from({ length: MOST + 1 }, () =>
      journal.accept({
        id: newId('task'),
        tenant: 'test',
        agent: 'own',
        agentVersion: '1.0.0',
        input: {},
        priority: 'normal',
        depth: 0,
      }),
    ),
  )
  const [working, ...others] = tasks.map(({ task }) => task.id)
  const commit = (version: number) =>
    plugin.call('commit', {
      taskId: working,
      epoch: version === 0 ? 0 : 1,
      version,
      lastEvent: 1,
      ...(version === 0 ? { claim: { hostId } } : {}),
      release: false,
      state: 'running',
      events: [],
    }) as Promise<{ applied: boolean }>
  await plugin.call('load', working)
  const half = MOST / 2
  for (let n = 0; n < MOST; n += 500) {
    await Promise.all(others.slice(n, n + 500).map((id) => plugin.call('load', id)))
    if (n === half) assert.ok((await commit(0)).applied)
  }
  await plugin.call('keepLease', { hostId, info: {}, leaseMs: 10_000 })
  assert.ok((await commit(1)).applied)
  await assert.rejects(plugin.call('step.began', others[0], { id: 'a', invocation: 1, attempt: 1 }), {
    code: 'permission_denied',
  })
})

test('a process is one host at a time: what it was before has no lease, hears nothing and claims nothing', async (t) => {
  const { journal, bus, plugin } = await guarded(t)
  const listened = new Set<string>()
  t.mock.method(bus, 'onNudge', (hostId: string) => {
    listened.add(hostId)
    return () => listened.delete(hostId)
  })
  const ids = Array.from({ length: 50 }, () => newId('host'))
  for (const hostId of ids) await plugin.call('keepLease', { hostId, info: {}, leaseMs: 10_000 })
  assert.deepEqual([...listened], ids.slice(-1))
  const alive = (await journal.hosts()).filter((host) => host.alive)
  assert.deepEqual(
    alive.map(({ hostId }) => hostId),
    ids.slice(-1),
  )
})

test('a process takes the tasks of each of its agents once', async (t) => {
  const { plugin } = await guarded(t)
  await plugin.call('take', 0, ['own'])
  for (const number of [0, 1]) {
    await assert.rejects(plugin.call('take', number, ['own']), { code: 'permission_denied' })
  }
  await plugin.call('stopTaking', 0)
  await plugin.call('take', 1, ['own'])
})
