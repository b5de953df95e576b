// Deliveries in a cluster: tasks entrusted to hosts over NATS, kept in Postgres, told although hosts die.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Installation, ROOT, startInstallation, temporaryFolder } from '../boot/installation.ts'
import { missing, startNats, startPostgres, type TestServer } from '../support/servers.ts'
import { isSigned, type Receiver, startReceiver } from './receiver.ts'

const TASKS = 100

interface Node {
  id: string
  facts?: { pid: number }
  children?: Node[]
}

describe('callbacks in a cluster', { skip: missing('postgres') || missing('nats') }, () => {
  let postgres: TestServer
  let nats: TestServer
  let receiver: Receiver
  let troupe: Installation

  before(async () => {
    ;[postgres, nats, receiver] = await Promise.all([startPostgres(), startNats(), startReceiver()])
    const folder = temporaryFolder()
    const policy = join(folder, 'policy.json')
    writeFileSync(policy, JSON.stringify({ webhooks: { private: [receiver.url], pauses: [0.5, 0.5, 0.5] } }))
    troupe = await startInstallation({
      args: ['--postgres', postgres.url, '--nats', nats.url, '--hosts', '2'],
      env: { TROUPE_AGENTS: join(ROOT, 'test', 'chaos', 'agents'), CHAOS_FOLDER: folder, TROUPE_POLICY: policy },
    })
  })
  after(async () => {
    await troupe?.stop()
    await receiver?.[Symbol.asyncDispose]()
    await Promise.all([postgres?.stop(), nats?.stop()])
  })

  test('every task of a batch is told, at least once and under one id, although a host is killed', async () => {
    const { secret } = await troupe.call('GET', '/v1/signing-secret')
    const submission = { agent: 'chaos-ledger', input: { ms: 100 }, labels: { run: 'told' } }
    const one = { ...submission, callback: { url: receiver.url } }
    const alone = await troupe.call('POST', '/v1/tasks', one)
    const { outcomes } = await troupe.call('POST', '/v1/tasks/batch', { tasks: Array(TASKS).fill(one) })
    const ids: string[] = [alone.id, ...outcomes.map(({ task }: { task: { id: string } }) => task.id)]
    await receiver.count(TASKS / 4)
    const { tree } = (await troupe.call('GET', '/v1/supervision')) as { tree: Node }
    const [host] = tree.children!.find(({ id }) => id === 'hosts')!.children!
    process.kill(host!.facts!.pid, 'SIGKILL')

    const told = new Map<string, Set<string>>()
    for (let count = receiver.received.length; told.size < ids.length; count++) {
      await receiver.count(count)
      for (const message of receiver.received) {
        assert.ok(isSigned(message, secret))
        const { id } = message.body.data
        told.set(id, (told.get(id) ?? new Set()).add(String(message.headers['webhook-id'])))
      }
    }
    assert.deepEqual([...told.keys()].sort(), [...ids].sort())
    for (const [id, keys] of told) assert.equal(keys.size, 1, id)
    const page = await troupe.call('GET', '/v1/tasks?label=run:told&limit=500&status=completed')
    assert.equal(page.tasks.length, ids.length)
    for (const id of ids.slice(0, 5)) await taken(id)
  })

  /** Whoever is left has recorded it. */
  async function taken(id: string): Promise<void> {
    for (let look = 0; ; look++) {
      const { deliveries } = await troupe.call('GET', `/v1/tasks/${id}/deliveries`)
      assert.equal(deliveries.length, 1)
      if (deliveries[0].state === 'completed') return
      assert.ok(look < 200, JSON.stringify(deliveries))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
})
