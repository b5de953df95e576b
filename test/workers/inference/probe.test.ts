import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createProbe } from '../../../src/workers/inference/probe.ts'
import { scaleModel, temporaryModels } from './support/models.ts'

const request = { providers: ['cpu'] as const, maxBytes: 1e6 }

/** Reading a named pipe without a writer waits for ever: a file that hangs whoever tries it. */
function hangingModel(folder: string): void {
  rmSync(join(folder, 'model.onnx'))
  execFileSync('mkfifo', [join(folder, 'model.onnx')])
}

test('a model that hangs is refused after the timeout, and the next one is tried by a new process', async () => {
  const models = temporaryModels()
  const good = models.put('good', '1', scaleModel(2))
  const bad = models.put('bad', '1', scaleModel(2))
  hangingModel(bad)
  const probe = createProbe({ timeoutMs: 3_000 })
  const [late, fine] = await Promise.all([
    probe.check({ ...request, folder: bad }),
    probe.check({ ...request, folder: good }),
  ])
  assert.ok(!late.ok && /not ready within 3000 ms/.test(late.error.message))
  assert.ok(fine.ok)
  probe.close()
  models.clear()
})

test('a model that ends the process which tries it is refused, and so is nothing else', async () => {
  const models = temporaryModels()
  const good = models.put('good', '1', scaleModel(2))
  const bad = models.put('bad', '1', scaleModel(2))
  hangingModel(bad)
  const probe = createProbe()
  assert.ok((await probe.check({ ...request, folder: good })).ok)
  const verdict = probe.check({ ...request, folder: bad })
  process.kill(probe.pid!, 'SIGKILL')
  const dead = await verdict
  assert.ok(!dead.ok && /killed the process that tried it \(SIGKILL\)/.test(dead.error.message))
  assert.ok((await probe.check({ ...request, folder: good })).ok)
  probe.close()
  models.clear()
})
