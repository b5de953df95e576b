// The workers as agents see them, when something about them changes.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readSettings } from '../../src/boot/settings.ts'
import { connectWorkers, inferenceOf } from '../../src/boot/workers.ts'
import { TroupeError } from '../../src/contract/errors.ts'
import { settle } from '../support/simulated-clock.ts'
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

/** What agents are told of a worker that answers so; time passes when the test says so. */
function asked(t: TestContext, models: () => Promise<never[]>) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const unused = async () => assert.fail('nobody asked for it')
  const { available } = inferenceOf({
    client: async () => ({ models, classify: unused, embed: unused, metadata: unused }),
  })
  let told: boolean | undefined
  void available().then((is) => {
    told = is
  })
  return {
    told: () => told,
    async pass(ms: number, times = 1) {
      for (let time = 0; time < times; time++) {
        await settle()
        t.mock.timers.tick(ms)
      }
      await settle()
    },
  }
}

const refused = () => Promise.reject(new TroupeError('worker_unavailable', 'nobody is there'))

test('a worker that is busy is there: what it is needed for waits, and is not left out for good', async (t) => {
  const answer = Promise.withResolvers<never[]>()
  const { told, pass } = asked(t, () => answer.promise)
  await pass(15_000)
  assert.equal(told(), undefined)
  answer.resolve([])
  await pass(0)
  assert.equal(told(), true)
})

test('a worker that says nothing at all is given up, and one that refuses sooner, unless it comes back', async (t) => {
  const silent = asked(t, () => new Promise(() => {}))
  await silent.pass(30_000)
  assert.equal(silent.told(), false)
  t.mock.timers.reset()
  let looks = 0
  const gone = asked(t, () => {
    looks += 1
    return refused()
  })
  await gone.pass(100, 20)
  assert.deepEqual([gone.told(), looks], [false, 20])
  t.mock.timers.reset()
  let isBack = false
  const restarted = asked(t, () => (isBack ? Promise.resolve([]) : refused()))
  await restarted.pass(100, 10)
  isBack = true
  await restarted.pass(100)
  assert.equal(restarted.told(), true)
})
