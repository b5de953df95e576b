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

const SUBMISSION = { agent: 'noop', input: { n: 1 } }

export async function clusterSubject(door: 'websocket' | 'http'): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  const [postgres, nats] = await Promise.all([startPostgres(), startNats()])
  const agents = join(import.meta.dirname, 'agents')
  const cluster = await startCluster(
    { postgres, nats },
    { folder, natsStore: folder, hosts: 2, agents, proxied: false },
  )
  const caller = door === 'http' ? await overHttp(cluster) : await overWebSocket(cluster)
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

interface Caller {
  run(): Promise<void>
  close(): void
}

async function openStream(url: string, key: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, ['troupe.v1', `troupe.bearer.${key}`])
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error('the gateway refused the WebSocket')))
  })
  return socket
}

async function overWebSocket({ url, key }: { url: string; key: string }): Promise<Caller> {
  const socket = await openStream(url, key)
  const waiting = new Map<string, () => void>()
  const requestOf = new Map<string, string>()
  let next = 0
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data))
    if (message.type === 'submitted') requestOf.set(message.task, message.request)
    else if (message.type === 'ended' && message.state === 'completed') {
      const request = requestOf.get(message.task)!
      requestOf.delete(message.task)
      waiting.get(request)?.()
      waiting.delete(request)
    } else throw new Error(String(data))
  })
  return {
    run() {
      const name = String(next++)
      const ended = new Promise<void>((resolve) => waiting.set(name, resolve))
      socket.send(JSON.stringify({ type: 'submit', request: name, submission: SUBMISSION, watch: 'end' }))
      return ended
    },
    close: () => socket.close(),
  }
}

/** `Prefer: wait`: the answer comes when the task has ended. */
async function overHttp({ url, key }: { url: string; key: string }): Promise<Caller> {
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
