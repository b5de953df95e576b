// The models that the inference worker of an installation serves, for the command line on its machine.
import { TroupeError } from '../contract/errors.ts'
import { createInferenceClient } from '../workers/inference/client.ts'
import { readWhereabouts } from './whereabouts.ts'

export interface Models {
  list(): Promise<{ name: string; version: string; state: string; reason: string }[]>
  close(): void
}

export async function connectModels(dataFolder: string, environment = process.env): Promise<Models> {
  const address = environment.TROUPE_INFERENCE_URL ?? (await readWhereabouts(dataFolder))?.inference
  if (address === undefined) {
    throw new TroupeError(
      'worker_unavailable',
      `No inference worker is known: TROUPE_INFERENCE_URL is not set, and nothing was started in ${dataFolder}.`,
    )
  }
  const client = createInferenceClient({ address, timeoutMs: 5_000 })
  return { list: () => client.models(), close: () => client.close() }
}
