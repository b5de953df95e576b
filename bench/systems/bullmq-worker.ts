// The worker process of BullMQ: the peer of a Troupe host.
import { Worker } from 'bullmq'
import { THROUGHPUT_CONCURRENCY } from '../measure.ts'

const [host = '127.0.0.1', port = '6379'] = process.argv.slice(2)
const connection = { host, port: Number(port), maxRetriesPerRequest: null }
const worker = new Worker('bench', async (job) => job.data, { connection, concurrency: THROUGHPUT_CONCURRENCY })
await worker.waitUntilReady()
process.send?.('ready')
process.once('SIGTERM', () => void worker.close().then(() => process.exit(0)))
