import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createInferenceClient, floatRows, floatTensor, type ModelEvent } from '../../../src/workers/inference/index.ts'
import { startInstance } from '../../../src/workers/inference/instance.ts'
import { modelJsonSchema } from '../../../src/workers/inference/model-json.ts'
import { scaleModel, slowModel, temporaryModels } from './support/models.ts'
import { row, scene } from './support/worker.ts'

test('providers are tried in order, and the one in use is in metadata and metrics', async () => {
  await using stage = await scene((models) => models.put('double', '1', scaleModel(2)), {
    providers: ['cuda', 'webgpu', 'cpu'],
  })
  const { properties } = await stage.client.metadata('double')
  const provider = properties.execution_provider!
  assert.ok(['cuda', 'webgpu', 'cpu'].includes(provider))
  assert.ok(stage.worker.metrics.text().includes(`model="double",version="1",provider="${provider}"} 1`))
  assert.equal((await stage.client.infer('double', [row(1)])).length, 1)
})

test('a GPU that was asked for and is not there: the processor serves, and metadata and event say why', async (context) => {
  const told: ModelEvent[] = []
  await using stage = await scene((models) => models.put('double', '1', scaleModel(2)), {
    providers: ['cuda', 'cpu'],
    onEvent: (event) => told.push(event),
  })
  const { properties } = await stage.client.metadata('double')
  if (properties.execution_provider === 'cuda') return context.skip('this machine has a GPU')
  assert.equal(properties.execution_provider, 'cpu')
  const [cuda] = JSON.parse(properties.providers_passed_over!) as { provider: string; reason: string }[]
  assert.equal(cuda!.provider, 'cuda')
  assert.ok(cuda!.reason.length > 10, cuda!.reason)
  const available = told.find(({ type }) => type === 'available')
  assert.deepEqual(available, {
    ...{ type: 'available', model: 'double', version: '1', provider: 'cpu' },
    passedOver: [cuda],
  })
  assert.equal(floatRows((await stage.client.infer('double', [row(4)]))[0]!)[0]![0], 8)
})

test('several instances of a model compute at once, as its model.json says', async () => {
  await using stage = await scene((models) =>
    models.put('slow', '1', slowModel(2_000), { kind: 'tensor', instances: 2, batching: { maxRows: 1 } }),
  )
  const many = floatTensor('x', [32, 256], new Float32Array(32 * 256))
  await Promise.all([stage.client.infer('slow', [many]), stage.client.infer('slow', [many])])
  // Both were taken at once: neither waited as long as the other computed.
  const [, waited] = /queue_seconds_sum\{[^}]*\} ([\d.]+)/.exec(stage.worker.metrics.text())!
  const [, computed] = /compute_seconds_sum\{[^}]*\} ([\d.]+)/.exec(stage.worker.metrics.text())!
  assert.ok(Number(waited) < Number(computed) / 2, `${waited} s waited, ${computed} s computed`)
})

test('an instance answers what it holds before it stops, and nothing afterwards', async () => {
  const models = temporaryModels()
  const folder = models.put('double', '1', scaleModel(2))
  const model = modelJsonSchema.parse({ kind: 'tensor' })
  const instance = await startInstance({ folder, model, providers: ['cpu'], threads: 1 }, () => assert.fail('it died'))
  const { name, datatype, shape, bytes } = row(21)
  const answered = new Promise<number>((resolve) =>
    instance.run([{ name, datatype, shape, bytes: new Uint8Array(bytes) }], (_, outputs) =>
      resolve(new Float32Array(outputs[0]!.bytes.buffer)[0]!),
    ),
  )
  await instance.stop()
  assert.equal(await answered, 42)
  models.clear()
})

test('a model that cannot load is an error with the reason, not a death', async () => {
  const models = temporaryModels()
  const folder = models.put('bad', '1', Buffer.from('no model'))
  const model = modelJsonSchema.parse({ kind: 'tensor' })
  const starting = startInstance({ folder, model, providers: ['cpu'], threads: 1 }, () => assert.fail('it died'))
  await assert.rejects(starting, { code: 'model_invalid', message: /onnxruntime does not load it/ })
  models.clear()
})

test('over TLS, clients that trust the certificate infer and others are refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-tls-'))
  const certificate = join(folder, 'certificate.pem')
  const key = join(folder, 'key.pem')
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  )
  await using stage = await scene((models) => models.put('double', '1', scaleModel(2)), { tls: { certificate, key } })
  const trusting = createInferenceClient({ address: `localhost:${stage.worker.port}`, tls: { ca: certificate } })
  const [y] = await trusting.infer('double', [row(4)])
  assert.equal(floatRows(y!)[0]![0], 8)
  const deadline = Date.now() + 2_000
  await assert.rejects(stage.client.infer('double', [row(4)], { deadline }), { code: 'worker_unavailable' })
  trusting.close()
  rmSync(folder, { recursive: true })
})
