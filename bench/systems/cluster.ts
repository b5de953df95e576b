// Troupe as a cluster: a gateway and two hosts as processes over NATS and Postgres. This process is the caller: it
// submits over HTTP with kept connections and hears of the ends from the bus, as a watching service would.
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { openNatsBus } from '../../src/bus/nats/index.ts'
import { startCluster } from '../../test/chaos/cluster.ts'
import { startNats, startPostgres } from '../../test/support/servers.ts'
import { type Subject, THROUGHPUT_CONCURRENCY } from '../measure.ts'

/** The tenant of the admin key. */
const TENANT = 'default'

export async function clusterSubject(): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  const [postgres, nats] = await Promise.all([startPostgres(), startNats()])
  const agents = join(import.meta.dirname, 'agents')
  const cluster = await startCluster(
    { postgres, nats },
    { folder, natsStore: folder, hosts: 2, agents, proxied: false },
  )
  const bus = await openNatsBus({ url: nats.url })
  const ended = new Set<string>()
  const waiting = new Map<string, () => void>()
  bus.follow(TENANT, undefined, (events) => {
    for (const { task, body } of events) {
      if (body.type !== 'task.completed') continue
      const resolve = waiting.get(task)
      // The end may be faster than the answer to the submission.
      if (resolve === undefined) ended.add(task)
      else resolve()
      waiting.delete(task)
    }
  })
  const connections = new Agent({ keepAlive: true, maxSockets: THROUGHPUT_CONCURRENCY })
  const headers = { authorization: `Bearer ${cluster.key}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ agent: 'noop', input: { n: 1 } })

  const submit = () =>
    new Promise<string>((resolve, reject) => {
      const call = request(`${cluster.url}/v1/tasks`, { method: 'POST', agent: connections, headers }, (response) => {
        json(response).then((answer) => resolve((answer as { id: string }).id), reject)
      })
      call.on('error', reject)
      call.end(body)
    })

  return {
    async run() {
      const id = await submit()
      if (!ended.delete(id)) await new Promise<void>((resolve) => waiting.set(id, resolve))
    },
    async close() {
      connections.destroy()
      await bus.close()
      await cluster.stop()
      await Promise.all([postgres.stop(), nats.stop()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
