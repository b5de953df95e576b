import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
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

test('a model is tried by a new process when the last one was let go and has not ended yet', async () => {
  const models = temporaryModels()
  const folder = models.put('good', '1', scaleModel(2))
  const probe = createProbe({ idleMs: 1 })
  assert.ok((await probe.check({ ...request, folder })).ok)
  await wait(5)
  const again = await probe.check({ ...request, folder })
  assert.ok(again.ok, JSON.stringify(again))
  probe.close()
  models.clear()
})

test('what still waits to be tried when the probe is closed starts no process', async () => {
  const models = temporaryModels()
  const folder = models.put('good', '1', scaleModel(2))
  const probe = createProbe()
  const reports = [probe.check({ ...request, folder }), probe.check({ ...request, folder })]
  await wait(1)
  probe.close()
  for (const report of await Promise.all(reports)) assert.ok(!report.ok)
  assert.equal(probe.pid, undefined)
  models.clear()
})
