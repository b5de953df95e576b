// The inside of a document thread: one job at a time, by name. Modules are loaded when their job first comes, so
// that a thread that only reads text never pays for OCR or for the grammar of dates.
import { parentPort } from 'node:worker_threads'
import type { ThreadReply } from '../document-pool.ts'
import type { FileInput } from './document.ts'
import { toFailure } from './failure.ts'

type JobFunction = (payload: never) => Promise<{ value: unknown; transfer?: ArrayBuffer[] }>

const JOBS: Record<string, JobFunction> = {
  async 'extract-text'(file: FileInput) {
    const { readDocument } = await import('./read-document.ts')
    const value = await readDocument(file)
    const transfer = value.scans.map((scan) => scan.image.buffer).filter((buffer) => buffer instanceof ArrayBuffer)
    return { value, transfer: [...new Set(transfer)] }
  },
  async ocr({ image }: { image: Uint8Array }) {
    const { recognise } = await import('./ocr.ts')
    return { value: await recognise(image) }
  },
}

parentPort!.on('message', async ({ job, payload }: { job: string; payload: unknown }) => {
  const port = parentPort!
  try {
    const run = JOBS[job]
    if (run === undefined) throw new Error(`There is no job ${job}`)
    const { value, transfer = [] } = await run(payload as never)
    port.postMessage({ ok: true, value } satisfies ThreadReply, transfer)
  } catch (error) {
    const { code, message, detail } = toFailure(error)
    port.postMessage({ ok: false, code, message, ...(detail === undefined ? {} : { detail }) } satisfies ThreadReply)
  }
})
