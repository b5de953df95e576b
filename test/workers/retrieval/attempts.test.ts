import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TroupeError } from '../../../src/contract/errors.ts'
import { Breaker } from '../../../src/workers/grpc/index.ts'
import { attemptAgain } from '../../../src/workers/retrieval/client-attempts.ts'

function failing(...codes: ('worker_unavailable' | 'deadline_exceeded')[]) {
  const retry = { breaker: new Breaker(), where: 'worker', deadline: Date.now() + 60_000, signal: undefined }
  return attemptAgain(retry, async () => {
    throw new TroupeError(codes.shift()!, 'made for the test')
  })
}

test('what an earlier attempt was told is not hidden by one that had no time left', async () => {
  await assert.rejects(failing('worker_unavailable', 'deadline_exceeded'), { code: 'worker_unavailable' })
})

test('a deadline that passes in the first attempt is told as what it is', async () => {
  await assert.rejects(failing('deadline_exceeded'), { code: 'deadline_exceeded' })
})
