// A gateway tells of a model that drifts: each shift once, and again when it comes back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watchModels } from '../../src/boot/model-watch.ts'
import { TroupeError } from '../../src/contract/errors.ts'
import { eventually } from '../support/eventually.ts'

test('each shift of a model is told once, until it has passed; who does not answer is passed over', async (t) => {
  const told: string[] = []
  const model = (reason: string) => ({ name: 'sorter', version: '2', state: 'READY', reason })
  const refused = { name: 'other', version: '1', state: 'UNAVAILABLE', reason: 'no such operator' }
  let answers: (() => ReturnType<typeof model>[])[] = [
    () => [model('')],
    () => [model('x moved'), refused],
    () => [model('x moved more'), refused],
    () => {
      throw new TroupeError('worker_unavailable', 'away')
    },
    () => [model('')],
    () => [model('y moved')],
  ]
  const stop = watchModels(
    async () => {
      const [next = () => [model('y moved')], ...rest] = answers
      answers = rest
      return next()
    },
    (what, error) => told.push(`${what}: ${(error as TroupeError).code}: ${(error as TroupeError).message}`),
    1,
  )
  t.after(stop)
  await eventually('all answers were looked at', () => answers.length === 0 && told.length > 1)
  assert.deepEqual(told, ['the model sorter 2: model_drifted: x moved', 'the model sorter 2: model_drifted: y moved'])
})
