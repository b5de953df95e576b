// Messages are read into memory that other messages used before. Nobody may ever see another one's numbers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TroupeError } from '../../../src/contract/errors.ts'
import { floatTensor } from '../../../src/workers/inference/index.ts'
import { scaleModel } from './support/models.ts'
import { scene } from './support/worker.ts'

const WIDTH = 256
const CALLERS = 32
const REQUESTS = 25

test('requests of all sizes, some refused and some given up, each get their own numbers back', async () => {
  await using stage = await scene((models) => models.put('double', '1', scaleModel(2, 0, WIDTH)))
  let answered = 0
  const outcomes = { refused: 0, givenUp: 0 }
  const caller = async (number: number): Promise<void> => {
    for (let request = 0; request < REQUESTS; request++) {
      const rows = 1 + ((number * 7 + request * 13) % 90)
      const values = Float32Array.from({ length: rows * WIDTH }, (_, at) => number * 1_000 + request + at / 65_536)
      const inputs = [floatTensor('x', [rows, WIDTH], values)]
      const kind = (number + request) % 9
      // A row more than there are numbers for.
      if (kind === 0) inputs[0]!.shape = [rows + 1, WIDTH]
      const abort = new AbortController()
      const asked = stage.client.infer('double', inputs, { signal: abort.signal })
      if (kind === 1) abort.abort(new TroupeError('cancelled', 'no longer wanted'))
      try {
        const [y] = await asked
        const floats = new Float32Array(new Uint8Array(y!.bytes).buffer)
        assert.deepEqual(y!.shape, [rows, WIDTH])
        assert.ok(
          floats.every((value, at) => value === Math.fround(values[at]! * 2)),
          `caller ${number}, request ${request}`,
        )
        answered++
      } catch (error) {
        assert.ok(error instanceof TroupeError, String(error))
        if (error.code === 'invalid_input') outcomes.refused++
        else if (error.code === 'cancelled') outcomes.givenUp++
        else throw error
      }
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, (_, number) => caller(number)))
  assert.ok(outcomes.refused > 50, JSON.stringify(outcomes))
  assert.ok(outcomes.givenUp > 50, JSON.stringify(outcomes))
  assert.equal(answered + outcomes.refused + outcomes.givenUp, CALLERS * REQUESTS)
})
