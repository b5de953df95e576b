// The worker as a process: how a supervisor starts it, drains it, loses it.
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { EXIT_DRAINED } from '../../../src/supervision/index.ts'
import { createInferenceClient, floatTensor } from '../../../src/workers/inference/index.ts'
import { scaleModel, slowModel, temporaryModels } from './support/models.ts'
import { row } from './support/worker.ts'

const BOOT = join(import.meta.dirname, '..', '..', '..', 'src', 'boot', 'inference.ts')

async function start(models: string, address: string): Promise<{ process: ChildProcess; port: number }> {
  const env = {
    ...process.env,
    TROUPE_MODELS: models,
    TROUPE_INFERENCE_ADDRESS: address,
    TROUPE_INFERENCE_PROVIDERS: 'cpu',
  }
  const started = fork(BOOT, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [message] = (await once(started, 'message')) as [{ ready: boolean; facts: { port: number } }]
  assert.equal(message.ready, true)
  return { process: started, port: message.facts.port }
}

test('it says when it is ready, its successor serves the client after a SIGKILL, and SIGTERM drains it', async () => {
  const models = temporaryModels()
  models.put('double', '1', scaleModel(2))
  models.put('double', '2', scaleModel(4))
  const first = await start(models.folder, '127.0.0.1:0')
  const client = createInferenceClient({ address: `127.0.0.1:${first.port}` })
  let second: ChildProcess | undefined
  try {
    await client.infer('double', [row(1)])
    // What the version before embedded is searched until it is embedded anew, so that version is served too.
    assert.deepEqual((await client.metadata('double')).versions, ['1', '2'])
    first.process.kill('SIGKILL')
    await once(first.process, 'exit')
    second = (await start(models.folder, `127.0.0.1:${first.port}`)).process
    await client.infer('double', [row(1)])
    second.kill('SIGTERM')
    const [code] = await once(second, 'exit')
    assert.equal(code, EXIT_DRAINED)
  } finally {
    client.close()
    first.process.kill('SIGKILL')
    second?.kill('SIGKILL')
    models.clear()
  }
})

test('told to end at once while onnxruntime computes, it does not crash, and the caller is told', async () => {
  const models = temporaryModels()
  models.put('slow', '1', slowModel(2_000), { kind: 'tensor', batching: { maxRows: 2_048 } })
  const worker = await start(models.folder, '127.0.0.1:0')
  const client = createInferenceClient({ address: `127.0.0.1:${worker.port}` })
  try {
    const many = floatTensor('x', [2_048, 256], new Float32Array(2_048 * 256))
    const call = client.infer('slow', [many], { deadline: Date.now() + 60_000 })
    // Answered after the rows were read.
    await client.models()
    const exited = once(worker.process, 'exit')
    worker.process.kill('SIGTERM')
    worker.process.kill('SIGINT')
    await assert.rejects(call, { code: 'worker_unavailable' })
    const [, signal] = await exited
    assert.equal(signal, 'SIGKILL')
  } finally {
    client.close()
    worker.process.kill('SIGKILL')
    models.clear()
  }
})

test('a time on the event loop that is no number, or would hold it, ends the process with the reason', async () => {
  for (const given of ['soon', '-1', '11']) {
    const env = { ...process.env, TROUPE_INFERENCE_LOOP_MS: given }
    const started = fork(BOOT, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    let told = ''
    for (const stream of [started.stdout!, started.stderr!]) stream.on('data', (text) => (told += text))
    const [code] = await once(started, 'close')
    assert.notEqual(code, 0)
    assert.match(told, /TROUPE_INFERENCE_LOOP_MS: “.*” is no number of milliseconds up to 10/)
  }
})
