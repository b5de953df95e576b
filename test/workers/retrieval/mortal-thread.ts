import { threadId } from 'node:worker_threads'
import { serveCalls } from '../../../src/workers/retrieval/thread.ts'

const methods = {
  id: () => threadId,
  leave: () => process.exit(7),
  close: () => undefined,
}
export type Mortal = typeof methods

serveCalls(methods)
