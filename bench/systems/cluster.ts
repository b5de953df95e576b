// Troupe as a cluster: a gateway and two hosts as processes over NATS and Postgres. This process is the caller. It
// submits over one WebSocket and hears of the ends there, as BullMQ's producer adds jobs and hears of their ends over
// connections that stay; or over HTTP, a request for each task that is answered when the task has ended.
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { startCluster } from '../../test/chaos/cluster.ts'
import { startNats, startPostgres } from '../../test/support/servers.ts'
import { type Subject, THROUGHPUT_CONCURRENCY } from '../measure.ts'
import { openWire } from './websocket-wire.ts'

const SUBMISSION = { agent: 'noop', input: { n: 1 } }

export async function clusterSubject(door: 'websocket' | 'http'): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  const [postgres, nats] = await Promise.all([startPostgres(), startNats()])
  const agents = join(import.meta.dirname, 'agents')
  const cluster = await startCluster(
    { postgres, nats },
    { folder, natsStore: folder, hosts: 2, agents, proxied: false },
  )
  const { url } = cluster
  const key = await freeKey(cluster)
  const caller = door === 'http' ? overHttp({ url, key }) : await overWebSocket({ url, key })
  return {
    run: caller.run,
    processes: () => ({
      client: process.pid,
      ...cluster.pids(),
      postgres: postgres.pid,
      nats: nats.pid,
    }),
    async close() {
      caller.close()
      await cluster.stop()
      await Promise.all([postgres.stop(), nats.stop()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A key that is not held to the 10,000 requests a second which are the default. */
async function freeKey({ url, key }: { url: string; key: string }): Promise<string> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ name: 'bench', role: 'submitter', requestsPerSecond: 1_000_000 })
  const answer = await fetch(`${url}/v1/keys`, { method: 'POST', headers, body })
  if (!answer.ok) throw new Error(await answer.text())
  return ((await answer.json()) as { secret: string }).secret
}

interface Caller {
  run(): Promise<void>
  close(): void
}

async function overWebSocket({ url, key }: { url: string; key: string }): Promise<Caller> {
  const waiting = new Map<string, () => void>()
  const requestOf = new Map<string, string>()
  let next = 0
  const wire = await openWire(url, key, (text) => {
    const message = JSON.parse(text)
    if (message.type === 'submitted') requestOf.set(message.task, message.request)
    else if (message.type === 'ended' && message.state === 'completed') {
      const request = requestOf.get(message.task)!
      requestOf.delete(message.task)
      waiting.get(request)?.()
      waiting.delete(request)
    } else throw new Error(text)
  })
  return {
    run() {
      const name = String(next++)
      const ended = new Promise<void>((resolve) => waiting.set(name, resolve))
      wire.send(JSON.stringify({ type: 'submit', request: name, submission: SUBMISSION, watch: 'end' }))
      return ended
    },
    close: () => wire.close(),
  }
}

/** `Prefer: wait`: the answer comes when the task has ended. */
function overHttp({ url, key }: { url: string; key: string }): Caller {
  const connections = new Agent({ keepAlive: true, maxSockets: THROUGHPUT_CONCURRENCY })
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', prefer: 'wait=60' }
  const body = JSON.stringify(SUBMISSION)
  return {
    run: () =>
      new Promise<void>((resolve, reject) => {
        const call = request(`${url}/v1/tasks`, { method: 'POST', agent: connections, headers }, (response) => {
          const settle = (answer: unknown) => {
            if ((answer as { state?: string }).state === 'completed') resolve()
            else reject(new Error(JSON.stringify(answer)))
          }
          json(response).then(settle, reject)
        })
        call.on('error', reject)
        call.end(body)
      }),
    close: () => connections.destroy(),
  }
}
