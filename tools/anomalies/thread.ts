// The thread that apart.ts starts for one long series.
import { parentPort, workerData } from 'node:worker_threads'
import { lookAt } from './apart.ts'

parentPort?.postMessage(lookAt(workerData))
