// Embeddings from the inference worker. The newest version of one model is current; a collection that an older version
// embedded is asked about with that version, for as long as the worker can still serve it.
import { TroupeError, toTroupeError } from '../../contract/errors.ts'
import { activeTraceparent } from '../grpc/index.ts'
import type { InferenceClient } from '../inference/index.ts'
import type { Embedder, Embedders } from './embedder.ts'

export interface InferenceEmbeddersOptions {
  client: Pick<InferenceClient, 'embed' | 'metadata'>
  /** The model's name in the repository. */
  model: string
  /** How long what is known of the current version is believed. */
  believeMs?: number
  now?: () => number
}

const MAX_REMEMBERED = 16
/** What a model is called and how long its vectors are is told at once or not at all. */
const LOOK_MS = 5_000

export function inferenceEmbedders({
  client,
  model: name,
  believeMs = 5_000,
  now = Date.now,
}: InferenceEmbeddersOptions): Embedders {
  const remembered = new Map<string, Embedder>()
  let current: Embedder | undefined
  let believedUntil = 0

  async function look(version: string, signal: AbortSignal): Promise<Embedder | undefined> {
    try {
      const { versions, outputs, properties } = await client.metadata(name, { version, deadline: Date.now() + LOOK_MS })
      const found = properties.version ?? (version === '' ? newest(versions) : version)
      const output = outputs.find((one) => one.name === 'embedding') ?? outputs[0]
      const dimension = Number(output?.shape.at(-1) ?? 0)
      if (dimension < 1) throw new TroupeError('model_invalid', `model ${name} gives no vectors of a fixed length`)
      return remember(found, identity(name, found, properties.sha256), dimension)
    } catch (thrown) {
      signal.throwIfAborted()
      if (toTroupeError(thrown).code === 'model_not_found') return undefined
      throw thrown
    }
  }

  function remember(version: string, model: string, dimension: number): Embedder {
    const known = remembered.get(model)
    if (known !== undefined) return known
    const embedder: Embedder = {
      model,
      dimension,
      async embed(texts, signal) {
        try {
          const traceparent = activeTraceparent()
          return await client.embed(name, texts, {
            signal,
            version,
            ...(traceparent === undefined ? {} : { traceparent }),
          })
        } catch (error) {
          // Unloaded since: ask anew before it is used again.
          if (toTroupeError(error).code === 'model_not_found') forget(model)
          throw error
        }
      },
    }
    if (remembered.size >= MAX_REMEMBERED) forget(remembered.keys().next().value!)
    remembered.set(model, embedder)
    return embedder
  }

  function forget(model: string): void {
    remembered.delete(model)
    if (current?.model === model) believedUntil = 0
  }

  return {
    async current(signal) {
      if (now() < believedUntil) return current
      try {
        current = await look('', signal)
      } catch (thrown) {
        signal.throwIfAborted()
        // A worker that is away for a moment keeps its model: what needs a vector now will say so itself.
        if (!toTroupeError(thrown).passing) throw thrown
      }
      believedUntil = now() + believeMs
      return current
    },
    async find(model, signal) {
      const known = remembered.get(model)
      if (known !== undefined) return known
      const version = versionOf(name, model)
      if (version === undefined) return undefined
      const found = await look(version, signal).catch((thrown: unknown) => {
        signal.throwIfAborted()
        if (!toTroupeError(thrown).passing) throw thrown
        return undefined
      })
      return found?.model === model ? found : undefined
    },
  }
}

/** With the file's hash where the server tells it: a version trained again under its old number is another model. */
function identity(name: string, version: string, sha256: string | undefined): string {
  return sha256 === undefined ? `${name}@${version}` : `${name}@${version}+${sha256.slice(0, 12)}`
}

function versionOf(name: string, model: string): string | undefined {
  return model.startsWith(`${name}@`) ? model.slice(name.length + 1).split('+')[0] : undefined
}

function newest(versions: readonly string[]): string {
  return versions.reduce((top, version) => (Number(version) > Number(top) ? version : top), versions[0] ?? '')
}
