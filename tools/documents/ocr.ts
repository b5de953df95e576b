// Text from pixels by tesseract, with the English model that is installed as a package: nothing is downloaded.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createWorker, type Worker } from 'tesseract.js'

const require = createRequire(import.meta.url)

export interface Recognised {
  text: string
  /** 0 to 1: how sure tesseract is of its words. */
  confidence: number
}

type Engine = Pick<Worker, 'recognize'>

let worker: Promise<Engine> | undefined

export async function recognise(image: Uint8Array, start = startTesseract): Promise<Recognised> {
  // One that did not start (no memory, no thread to be had) is started anew for the next picture.
  worker ??= start().catch((error: unknown) => {
    worker = undefined
    throw error
  })
  const { data } = await (await worker).recognize(Buffer.from(image))
  return { text: data.text, confidence: Math.max(0, data.confidence) / 100 }
}

function startTesseract(): Promise<Engine> {
  return createWorker('eng', 1, {
    langPath: join(dirname(require.resolve('@tesseract.js-data/eng/package.json')), '4.0.0_best_int'),
    cacheMethod: 'none',
    gzip: true,
  })
}
