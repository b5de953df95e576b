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

let worker: Promise<Worker> | undefined

export async function recognise(image: Uint8Array): Promise<Recognised> {
  worker ??= createWorker('eng', 1, {
    langPath: join(dirname(require.resolve('@tesseract.js-data/eng/package.json')), '4.0.0_best_int'),
    cacheMethod: 'none',
    gzip: true,
  })
  const { data } = await (await worker).recognize(Buffer.from(image))
  return { text: data.text, confidence: Math.max(0, data.confidence) / 100 }
}
