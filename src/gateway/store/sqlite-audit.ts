// Appends to the audit trail in a thread: chaining and writing the entries of a busy tenth of a second would hold up
// every request for as long.
import { Worker } from 'node:worker_threads'
import { type ErrorRecord, fromErrorRecord } from '../../contract/errors.ts'
import type { AuditDraft } from '../audit/chain.ts'

const THREAD = new URL('./sqlite-audit-thread.ts', import.meta.url)

export interface AuditAppender {
  append(drafts: AuditDraft[], durable: boolean): Promise<void>
  /** After the last append. */
  close(): Promise<void>
}

export type Answer = { written: true } | { written: false; error: ErrorRecord }

export function auditAppender(file: string): AuditAppender {
  let worker: Worker | undefined
  /** The thread answers in the order in which it was asked. */
  let asked: PromiseWithResolvers<void>[] = []

  function start(): Worker {
    const started = new Worker(THREAD, { workerData: file })
    started.on('message', (answer: Answer) => {
      const batch = asked.shift()
      if (answer.written) batch?.resolve()
      else batch?.reject(fromErrorRecord(answer.error))
      if (asked.length === 0) started.unref()
    })
    started.on('error', fail)
    started.on('exit', () => {
      // The next batch starts another one.
      worker = undefined
      fail(new Error('The thread that writes the audit trail has ended.'))
    })
    return started
  }

  function fail(error: unknown): void {
    for (const batch of asked) batch.reject(error)
    asked = []
  }

  return {
    append(drafts, durable) {
      worker ??= start()
      const batch = Promise.withResolvers<void>()
      asked.push(batch)
      worker.ref()
      worker.postMessage({ drafts: JSON.stringify(drafts), durable })
      return batch.promise
    },
    async close() {
      const open = worker
      if (open === undefined) return
      const exited = new Promise((resolve) => open.once('exit', resolve))
      open.ref()
      open.postMessage('close')
      await exited
    },
  }
}
