// The workers as agents see them, when something about them changes.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSettings } from '../../src/boot/settings.ts'
import { connectWorkers, inferenceOf } from '../../src/boot/workers.ts'
import { temporaryFolder } from './installation.ts'

test('a certificate that cannot be read is looked for again by the next call, and closing ends in peace', async (t) => {
  const folder = temporaryFolder()
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const ca = join(folder, 'ca.pem')
  const { inference, close } = connectWorkers(
    readSettings({ TROUPE_INFERENCE_URL: 'grpcs://127.0.0.1:1', TROUPE_INFERENCE_TLS_CA: ca }),
  )
  await assert.rejects(inference.embed('embedder', ['a']), { code: 'configuration_invalid' })
  writeFileSync(ca, 'no certificate')
  await assert.rejects(inference.embed('embedder', ['a']), (error: Error) => !/cannot be read/.test(error.message))
  rmSync(ca)
  close()
  const other = connectWorkers(
    readSettings({ TROUPE_INFERENCE_URL: 'grpcs://127.0.0.1:1', TROUPE_INFERENCE_TLS_CA: ca }),
  )
  const asked = assert.rejects(other.inference.embed('embedder', ['a']), { code: 'configuration_invalid' })
  other.close()
  await asked
})

test('a new version of a model that orders its labels anew is asked for them: scores stand by their own names', async () => {
  let order = ['invoice', 'letter', 'report']
  let asked = 0
  const chances: Record<string, number> = { invoice: 0.5, letter: 0.375, report: 0.125 }
  const inference = inferenceOf({
    client: async () => ({
      classify: async () => [
        { label: 'invoice', score: 0.5, probabilities: Float32Array.from(order, (name) => chances[name]!) },
      ],
      metadata: async () => {
        asked += 1
        return {
          inputs: [],
          outputs: [],
          name: '',
          platform: '',
          versions: [],
          properties: { labels: JSON.stringify(order) },
        }
      },
      embed: async () => [],
      models: async () => [],
    }),
  })
  const scores = async () => (await inference.classify('document-type', ['Invoice 17']))[0]!.scores
  assert.deepEqual([await scores(), await scores(), asked], [chances, chances, 1])
  order = ['report', 'invoice', 'letter']
  assert.deepEqual([await scores(), await scores(), asked], [chances, chances, 2])
})
