// The thread that parse.ts starts for one table.
import { parentPort, workerData } from 'node:worker_threads'
import { TroupeError } from '@troupe/sdk'
import { type ParseReply, parseHere } from './parse.ts'
import type { TableSource } from './source.ts'

const reply: ParseReply = await parseHere(workerData as TableSource).then(
  (table) => ({ table }),
  (error: unknown) =>
    error instanceof TroupeError
      ? { code: error.code, message: error.message }
      : { code: 'document_unreadable', message: `the table cannot be read: ${String(error)}` },
)
parentPort?.postMessage(reply)
