// A model of `troupe train`, served: trainer and worker agree on features, files and profile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openModel, registerModel, trainClassifier } from '../../../src/training/index.ts'
import { scene } from './support/worker.ts'

const SUBJECTS: Record<string, string[]> = {
  invoice: ['amount', 'due', 'payment', 'total', 'tax', 'customer'],
  contract: ['party', 'agreement', 'clause', 'term', 'liability', 'signature'],
}

function examples(count: number): { text: string; label: string }[] {
  return Array.from({ length: count }, (_, index) => {
    const label = index % 2 === 0 ? 'invoice' : 'contract'
    const words = SUBJECTS[label]!
    const text = Array.from({ length: 6 }, (_, at) => words[(index * 7 + at * at + (index % 5)) % words.length]).join(
      ' ',
    )
    return { text: `${text} number ${index}`, label }
  })
}

test('a trained classifier is registered, served, and answers as it did in training; foreign text trips its drift', async () => {
  const trained = await trainClassifier(examples(400), { name: 'kinds', source: 'test' })
  await using stage = await scene(() => {})
  await registerModel(stage.models.folder, trained)
  await stage.worker.scan()
  const texts = ['payment of the total amount is due', 'liability clause of the agreement', 'tax number 7']
  const answers = await stage.client.classify('kinds', texts)
  assert.deepEqual(
    answers.map(({ label }) => label),
    ['invoice', 'contract', 'invoice'],
  )
  const model = await openModel(trained.onnx, trained.card.featuriser)
  const rows = await model.run(texts)
  await model.close()
  for (const [index, { probabilities }] of answers.entries()) {
    probabilities.forEach((value, column) => {
      assert.ok(Math.abs(value - rows[index]![column]!) < 1e-5)
    })
  }
  const metadata = await stage.client.metadata('kinds')
  assert.equal(metadata.properties.labels, JSON.stringify(trained.card.labels))
  const foreign = Array.from({ length: 16 }, (_, index) => `zzz${index} qqq`)
  await Promise.all(Array.from({ length: 70 }, () => stage.client.classify('kinds', foreign)))
  const drifted = stage.events.flatMap((event) => (event.type === 'drift' ? [event.what] : []))
  assert.ok(drifted.includes('text.terms') && drifted.includes('text.characters'), drifted.join())
})
