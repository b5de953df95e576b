// The bars of quality, on public data beside the checkout, through gRPC and the embedder that the project ships.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadTask, meanGain } from '../../../bench/retrieval-quality.ts'
import { trainDefaultEmbedder } from '../../../src/training/index.ts'
import { writeModel } from '../../../src/training/registry.ts'
import { inferenceEmbedders, openPostgresStore } from '../../../src/workers/retrieval/index.ts'
import { scene as inferenceScene } from '../inference/support/worker.ts'
import { startPglite } from './pglite.ts'
import { scene } from './scene.ts'

const BARS = { pubmedqa: 0.97, xquad_r: 0.957 } as const
const call = { tenant: 'quality' }

// PGlite takes minutes for pubmedqa; `npm run bench -- retrieval` measures that too.
for (const [store, names] of [
  ['sqlite', ['pubmedqa', 'xquad_r']],
  ['postgres', ['xquad_r']],
] as const) {
  for (const name of names) {
    const task = loadTask(name)
    const skip = task === undefined ? 'the public data is not beside the checkout' : false
    test(`${name} on ${store}: nDCG@10 of at least ${BARS[name]}, and hybrid not below words alone`, {
      skip,
    }, async () => {
      const { card, onnx } = await trainDefaultEmbedder({})
      await using inference = await inferenceScene(() => undefined)
      await writeModel(`${inference.models.folder}/embedder/1`, card, onnx)
      await inference.worker.scan()
      const embedders = inferenceEmbedders({ client: inference.client, model: 'embedder' })
      const pglite = store === 'postgres' ? await startPglite() : undefined
      {
        await using stage = await scene({
          embedders,
          ...(pglite === undefined ? {} : { store: await openPostgresStore({ url: pglite.url, connections: 1 }) }),
        })
        await stage.client.upsert(name, task!.documents, call)
        const words = await meanGain(stage.client, name, task!, { ...call, mode: 'lexical' })
        const hybrid = await meanGain(stage.client, name, task!, call)
        assert.ok(hybrid >= BARS[name], `hybrid ${hybrid}`)
        // Half of a thousandth is one question of 500 that moved by one place far down.
        assert.ok(hybrid >= words - 0.0005, `hybrid ${hybrid}, words ${words}`)
      }
      await pglite?.stop()
    })
  }
}
