// BullMQ with its producer and two workers as processes; AOF synced each second. Completion comes by QueueEvents, its
// way to hear of it in another process.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Queue, QueueEvents } from 'bullmq'
import { startRedis } from '../../test/support/servers.ts'
import type { Subject } from '../measure.ts'

const WORKERS = 2

export async function bullmqProcessesSubject(): Promise<Subject> {
  const server = await startRedis({ appendfsync: 'everysec' })
  const { hostname: host, port } = new URL(server.url)
  const connection = { host, port: Number(port), maxRetriesPerRequest: null }
  const workers = Array.from({ length: WORKERS }, () =>
    fork(join(import.meta.dirname, 'bullmq-worker.ts'), [host, port]),
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const queue = new Queue('bench', { connection })
  // From the beginning: by default it hears only what comes after its first read, and the first jobs would be missed.
  const events = new QueueEvents('bench', { connection, lastEventId: '0-0' })
  await events.waitUntilReady()
  const waiting = new Map<string, () => void>()
  events.on('completed', ({ jobId }) => {
    waiting.get(jobId)?.()
    waiting.delete(jobId)
  })
  let next = 0
  return {
    async run() {
      const jobId = `job-${next++}`
      const ended = new Promise<void>((resolve) => waiting.set(jobId, resolve))
      await queue.add('task', { n: 1 }, { jobId, removeOnComplete: true })
      await ended
    },
    processes: () => ({
      client: process.pid,
      'worker-1': workers[0]!.pid,
      'worker-2': workers[1]!.pid,
      redis: server.pid,
    }),
    async close() {
      const gone = workers.map((worker) => once(worker, 'exit'))
      for (const worker of workers) worker.kill('SIGTERM')
      await Promise.all(gone)
      await events.close()
      await queue.close()
      await server.stop()
    },
  }
}
