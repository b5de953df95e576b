// A value costs up to 0.1 ms. A long series is looked at in a thread, because a busy event loop stalls the host's lease:
// two hundred thousand values would hold it for as long as it takes to lose all its tasks.
import { Worker } from 'node:worker_threads'
import { TroupeError } from '@troupe/sdk'
import { lookBack, type Oddity } from './look-back.ts'
import { type Alarm, watchSeries } from './watch.ts'

type Look = { live: Parameters<typeof watchSeries> } | { whole: Parameters<typeof lookBack> }

const INLINE_VALUES = 2_000

export function lookAt(look: Look): Alarm[] | Oddity[] {
  return 'live' in look ? watchSeries(...look.live).alarms : lookBack(...look.whole)
}

export async function watchApart(signal: AbortSignal, ...live: Parameters<typeof watchSeries>): Promise<Alarm[]> {
  return (await lookApart({ live }, live[0].length, signal)) as Alarm[]
}

export async function lookBackApart(signal: AbortSignal, ...whole: Parameters<typeof lookBack>): Promise<Oddity[]> {
  return (await lookApart({ whole }, whole[0].values.length, signal)) as Oddity[]
}

async function lookApart(look: Look, values: number, signal: AbortSignal): Promise<Alarm[] | Oddity[]> {
  if (values <= INLINE_VALUES) return lookAt(look)
  signal.throwIfAborted()
  const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: look })
  const stop = () => void worker.terminate()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await new Promise<Alarm[] | Oddity[]>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () =>
        reject(signal.reason ?? new TroupeError('internal', 'the thread of a series ended early')),
      )
    })
  } finally {
    signal.removeEventListener('abort', stop)
    await worker.terminate()
  }
}
