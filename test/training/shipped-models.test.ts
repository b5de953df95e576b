import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { trainBuiltinModels } from '../../src/training/builtin.ts'
import { generateDocuments, UNKNOWN } from '../../src/training/corpus/index.ts'
import { largest } from '../../src/training/measure.ts'
import { openModel } from '../../src/training/run-model.ts'
import { parseModelJson, sha256Of } from '../../src/workers/inference/model-json.ts'

const MODELS = resolve(import.meta.dirname, '..', '..', 'models')
const NAMES = ['document-type', 'embedder']

test('a shipped model is what its card says, and small', async () => {
  for (const name of NAMES) {
    const folder = join(MODELS, name, '1')
    const card = parseModelJson(await readFile(join(folder, 'model.json'), 'utf8'), name)
    assert.equal(sha256Of(await readFile(join(folder, 'model.onnx'))), card.sha256)
    assert.ok((await stat(join(folder, 'model.onnx'))).size < 8_000_000)
  }
})

test('troupe train --builtin makes the shipped files again, bit for bit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-builtin-'))
  try {
    await trainBuiltinModels(folder)
    for (const name of NAMES) {
      for (const file of ['model.onnx', 'model.json']) {
        const [made, shipped] = await Promise.all([folder, MODELS].map((root) => readFile(join(root, name, '1', file))))
        assert.ok(made!.equals(shipped!), `${name}/1/${file} differs from what the sources give: train it again`)
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('documents of unseen templates are recognised, and foreign ones are unknown', async () => {
  const card = JSON.parse(await readFile(join(MODELS, 'document-type', '1', 'model.json'), 'utf8'))
  const model = await openModel(join(MODELS, 'document-type', '1', 'model.onnx'), card.featuriser)
  const unseen = generateDocuments({ seed: 7, split: 'test', perKind: 30, foreign: 3 })
  const rows = await model.run(unseen.map(({ text }) => text))
  await model.close()
  const share = (foreign: boolean) => {
    const asked = unseen.flatMap(({ label }, at) =>
      (label === UNKNOWN) === foreign ? [{ label, row: rows[at]! }] : [],
    )
    return asked.filter(({ label, row }) => card.labels[largest(row)] === label).length / asked.length
  }
  assert.ok(card.labels.length >= 13)
  assert.ok(share(false) >= 0.95, `known kinds: ${share(false)}`)
  assert.ok(share(true) >= 0.8, `unknown: ${share(true)}`)
})
