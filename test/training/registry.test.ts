import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { type TrainedModel, trainClassifier } from '../../src/training/classifier.ts'
import { generateDocuments } from '../../src/training/corpus/index.ts'
import { liveModel, registerModel, rollBack } from '../../src/training/registry.ts'

const GOOD = generateDocuments({ seed: 5, split: 'train', perKind: 40, foreign: 1, noise: false })
// The same texts with labels moved by one: what is learnt from them is wrong.
const WRONG = GOOD.map(({ text }, at) => ({ text, label: GOOD[(at + 1) % GOOD.length]!.label }))

let repository: string
beforeEach(async () => {
  repository = await mkdtemp(join(tmpdir(), 'troupe-models-'))
})
afterEach(() => rm(repository, { recursive: true, force: true }))

async function train(examples: typeof GOOD, name = 'kinds'): Promise<TrainedModel> {
  return trainClassifier(examples, { name, source: 'test', features: 2048, passes: 5 })
}

test('the first version is promoted and lies where the worker looks', async () => {
  const { version, promotion, folder } = await registerModel(repository, await train(GOOD))
  assert.equal(version, '1')
  assert.equal(promotion.promoted, true)
  assert.deepEqual((await readdir(folder)).sort(), ['model.json', 'model.onnx'])
  assert.deepEqual(await readdir(join(repository, 'kinds')), ['1'])
})

test('a version that is not worse is promoted and names its parent', async () => {
  const trained = await train(GOOD)
  await registerModel(repository, trained)
  const second = await registerModel(repository, trained)
  assert.equal(second.promotion.promoted, true)
  const card = JSON.parse(await readFile(join(second.folder, 'model.json'), 'utf8'))
  assert.equal(card.lineage.parent.version, '1')
  assert.equal((await liveModel(repository, 'kinds'))!.version, '2')
})

test('a worse version is held back with its reason, and the live one stays', async () => {
  await registerModel(repository, await train(GOOD))
  const worse = { ...(await train(WRONG)), heldOut: (await train(GOOD)).heldOut }
  const second = await registerModel(repository, worse)
  assert.equal(second.promotion.promoted, false)
  assert.match(second.promotion.reason, /^worse: .* of version 1/)
  assert.equal((await liveModel(repository, 'kinds'))!.version, '1')
  assert.equal((await registerModel(repository, worse)).version, '3')
})

test('a name that would leave the repository is refused', async () => {
  const trained = await train(GOOD)
  await assert.rejects(registerModel(repository, { ...trained, name: '../kinds' }), { code: 'invalid_input' })
  assert.deepEqual(await readdir(repository), [])
})

test('a rollback holds the newest version back, and its number is not given again', async () => {
  const trained = await train(GOOD)
  for (const version of ['1', '2']) assert.equal((await registerModel(repository, trained)).version, version)
  assert.deepEqual(await rollBack(repository, 'kinds'), { from: '2', to: '1' })
  assert.equal((await liveModel(repository, 'kinds'))!.version, '1')
  assert.equal((await registerModel(repository, trained)).version, '3')
})

test('there is no rollback without a version before, nor of a model that is not there', async () => {
  await registerModel(repository, await train(GOOD))
  await assert.rejects(rollBack(repository, 'kinds'), { code: 'wrong_state' })
  await assert.rejects(rollBack(repository, 'nothing'), { code: 'model_not_found' })
})
