// The inside of a document thread: one job at a time, by name. Modules are loaded when their job first comes, so
// that a thread that only reads text never pays for OCR or for the grammar of dates.
import { parentPort } from 'node:worker_threads'
import type { ChartInput } from '../chart.ts'
import type { ThreadReply } from '../document-pool.ts'
import type { RecogniseOptions } from '../entities/recognise.ts'
import type { FileInput } from './document.ts'
import { toFailure } from './failure.ts'

type EntitiesPayload = { text: string; reference?: string } & Omit<RecogniseOptions, 'reference'>

type SummaryPayload = { text: string; language: string; sentences: number; breaks?: number[] }

type PassagesPayload = {
  text: string
  question: string
  language: string
  limit: number
  breaks?: number[]
  window?: number
}

type JobFunction = (payload: never) => Promise<{ value: unknown; transfer?: ArrayBuffer[] }>

const JOBS: Record<string, JobFunction> = {
  async 'extract-text'(file: FileInput) {
    const { readDocument } = await import('./read-document.ts')
    const { document, scans } = await readDocument(file)
    // A picture may be a piece of its archive, or of the pool that Node's small buffers share and nobody may move.
    const own = scans.map(({ page, image }) => ({ page, image: new Uint8Array(image) }))
    return { value: { document, scans: own }, transfer: own.map(({ image }) => image.buffer) }
  },
  async ocr({ image }: { image: Uint8Array }) {
    const { recognise } = await import('./ocr.ts')
    return { value: await recognise(image) }
  },
  async 'recognise-entities'({ text, reference, ...options }: EntitiesPayload) {
    const { recognise } = await import('../entities/recognise.ts')
    const day = reference === undefined ? {} : { reference: new Date(`${reference}T12:00:00Z`) }
    return { value: recognise(text, { ...options, ...day }) }
  },
  async 'detect-language'({ text }: { text: string }) {
    const { detectLanguage } = await import('../texts/language.ts')
    return { value: detectLanguage(text) }
  },
  async 'key-phrases'({ text, language, limit }: { text: string; language: string; limit: number }) {
    const { findKeyPhrases } = await import('../texts/key-phrases.ts')
    return { value: findKeyPhrases(text, language, limit) }
  },
  async summarise({ text, language, sentences, breaks }: SummaryPayload) {
    const { summarise } = await import('../texts/summary.ts')
    return { value: summarise(text, language, sentences, breaks) }
  },
  async 'find-passages'({ text, question, language, limit, breaks, window }: PassagesPayload) {
    const { readPassages } = await import('../texts/passages.ts')
    return { value: readPassages(text, language, breaks, window).find(question, limit) }
  },
  async 'draw-chart'(input: ChartInput) {
    const { drawChart } = await import('../charts/draw.ts')
    return { value: await drawChart(input) }
  },
  async 'check-claims'({ source, claims, language }: { source: string; claims: string[]; language: string }) {
    const { checkClaims } = await import('../texts/claims.ts')
    return { value: checkClaims(source, claims, language) }
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
