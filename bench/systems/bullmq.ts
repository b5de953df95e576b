// BullMQ on a real Redis, its append-only file synced each second or always. Producer and worker share the process, as
// Troupe's do; completion is the worker's own event, its cheapest way to know.
import { Queue, Worker } from 'bullmq'
import { startRedis } from '../../test/support/servers.ts'
import { type Subject, THROUGHPUT_CONCURRENCY } from '../measure.ts'

export async function bullmqSubject(workload: string, appendfsync: 'everysec' | 'always'): Promise<Subject> {
  const server = await startRedis({ appendfsync })
  const { hostname: host, port } = new URL(server.url)
  const connection = { host, port: Number(port), maxRetriesPerRequest: null }
  const queue = new Queue('bench', { connection })
  const waiting = new Map<string, () => void>()
  const worker = new Worker(
    'bench',
    async (job) => {
      if (workload === 'noop') return job.data
      // Three recorded steps: two updates of the job's data, and its completion.
      await job.updateData({ ...job.data, one: 1 })
      await job.updateData({ ...job.data, two: 2 })
      return { n: 3 }
    },
    { connection, concurrency: THROUGHPUT_CONCURRENCY },
  )
  worker.on('completed', (job) => {
    waiting.get(job.id!)?.()
    waiting.delete(job.id!)
  })
  await worker.waitUntilReady()
  let next = 0
  return {
    async run() {
      // The id is chosen here, so that a completion faster than the answer to `add` is not missed.
      const jobId = `job-${next++}`
      const ended = new Promise<void>((resolve) => waiting.set(jobId, resolve))
      await queue.add('task', { n: 1 }, { jobId, removeOnComplete: true })
      await ended
    },
    async close() {
      await worker.close()
      await queue.close()
      await server.stop()
    },
  }
}
