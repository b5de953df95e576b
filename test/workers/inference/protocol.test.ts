// What other people's clients see: one made from the public definition, one made from nothing but reflection.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { credentials, type ServiceDefinition, status } from '@grpc/grpc-js'
import { loadFileDescriptorSetFromBuffer, loadSync } from '@grpc/proto-loader'
import { loadService } from '../../../src/workers/grpc/index.ts'
import { WireWriter } from '../../../src/workers/grpc/wire.ts'
import { type AnyClient, call, connect } from '../grpc/support/echo.ts'
import { gatherModel, scaleModel } from './support/models.ts'
import { scene } from './support/worker.ts'

const SERVICE = 'inference.GRPCInferenceService'
const PROTO = join(import.meta.dirname, '..', '..', '..', 'protos', 'inference.proto')

/** As any user of the protocol would: the library's defaults, no codec of ours. */
function publicClient(port: number): AnyClient {
  const definition = loadSync(PROTO, { keepCase: true, longs: Number })[SERVICE] as ServiceDefinition
  return connect(definition, port, credentials.createInsecure())
}

interface Response {
  model_name: string
  model_version: string
  id: string
  outputs: { name: string; datatype: string; shape: number[]; contents?: { fp32_contents?: number[] } }[]
  raw_output_contents?: Buffer[]
}

const typedRequest = {
  model_name: 'double',
  id: 'seven',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2], contents: { fp32_contents: [1, 2, 3, 4] } }],
}
const rawRequest = {
  model_name: 'double',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2] }],
  raw_input_contents: [Buffer.from(Float32Array.of(1, 2, 3, 4).buffer)],
}

test('every call of the protocol answers a client made from the public definition', async () => {
  await using stage = await scene((models) => models.put('double', '3', scaleModel(2)))
  const client = publicClient(stage.worker.port)
  assert.deepEqual(await call(client, 'ServerLive', {}), { live: true })
  assert.deepEqual(await call(client, 'ServerReady', {}), { ready: true })
  assert.deepEqual(await call(client, 'ModelReady', { name: 'double' }), { ready: true })
  assert.deepEqual(await call(client, 'ModelReady', { name: 'double', version: '9' }), { ready: false })
  const server = await call<{ name: string; extensions: string[] }>(client, 'ServerMetadata', {})
  assert.equal(server.name, 'troupe')
  assert.ok(server.extensions.includes('binary_tensor_data'))
  const model = await call<Record<string, unknown>>(client, 'ModelMetadata', { name: 'double' })
  assert.deepEqual(model.versions, ['3'])
  assert.equal(model.platform, 'onnxruntime_onnx')
  assert.deepEqual(model.inputs, [{ name: 'x', datatype: 'FP32', shape: [-1, -1] }])
  assert.equal((model.properties as Record<string, string>).execution_provider, 'cpu')
  const index = await call<{ models: { name: string; version: string; state: string }[] }>(
    client,
    'RepositoryIndex',
    {},
  )
  assert.deepEqual(
    index.models.map(({ name, version, state }) => [name, version, state]),
    [['double', '3', 'READY']],
  )
  client.close()
})

test('typed contents are answered typed, raw ones raw', async () => {
  await using stage = await scene((models) => models.put('double', '1', scaleModel(2)))
  const client = publicClient(stage.worker.port)
  const typed = await call<Response>(client, 'ModelInfer', typedRequest)
  assert.equal(typed.id, 'seven')
  assert.equal(typed.model_version, '1')
  assert.deepEqual(typed.outputs[0]?.shape, [2, 2])
  assert.deepEqual(typed.outputs[0]?.contents?.fp32_contents, [2, 4, 6, 8])
  const raw = await call<Response>(client, 'ModelInfer', rawRequest)
  assert.deepEqual(raw.raw_output_contents?.[0], Buffer.from(Float32Array.of(2, 4, 6, 8).buffer))
  client.close()
})

test('a typed int64 input reaches the model', async () => {
  await using stage = await scene((models) => models.put('gather', '1', gatherModel()))
  const client = publicClient(stage.worker.port)
  const response = await call<Response>(client, 'ModelInfer', {
    model_name: 'gather',
    inputs: [{ name: 'index', datatype: 'INT64', shape: [2], contents: { int64_contents: [2, -3] } }],
  })
  assert.deepEqual(response.outputs[0]?.contents?.fp32_contents, [20, 21, 0, 1])
  client.close()
})

test('a stream pairs answers and errors with requests by id', async () => {
  await using stage = await scene((models) => models.put('double', '1', scaleModel(2)))
  const client = publicClient(stage.worker.port)
  const stream = client.ModelStreamInfer()
  const answers = new Map<string, string>()
  stream.on('data', ({ error_message, infer_response }: { error_message?: string; infer_response: Response }) =>
    answers.set(infer_response.id, error_message ?? ''),
  )
  const ended = once(stream, 'end')
  for (let id = 0; id < 20; id++) stream.write({ ...rawRequest, id: String(id) })
  stream.write({ ...rawRequest, id: 'bad', model_name: 'nobody' })
  stream.end()
  await ended
  assert.equal(answers.size, 21)
  assert.match(answers.get('bad')!, /no model “nobody”/)
  answers.delete('bad')
  assert.deepEqual([...new Set(answers.values())], [''])
  client.close()
})

test('a model is loaded and unloaded by order', async () => {
  await using stage = await scene(() => {})
  const client = publicClient(stage.worker.port)
  await assert.rejects(call(client, 'RepositoryModelLoad', { model_name: 'double' }), { code: status.NOT_FOUND })
  stage.models.put('double', '1', scaleModel(2))
  await call(client, 'RepositoryModelLoad', { model_name: 'double' })
  await call(client, 'ModelInfer', rawRequest)
  await call(client, 'RepositoryModelUnload', { model_name: 'double' })
  await assert.rejects(call(client, 'ModelInfer', rawRequest), { code: status.UNAVAILABLE })
  await stage.worker.scan()
  assert.deepEqual(
    await call(client, 'ModelReady', { name: 'double' }),
    { ready: false },
    'a scan does not undo an order',
  )
  await call(client, 'RepositoryModelLoad', { model_name: 'double' })
  await call(client, 'ModelInfer', rawRequest)
  client.close()
})

test('a client made from nothing but reflection infers, and health answers', async () => {
  await using stage = await scene((models) => models.put('double', '1', scaleModel(2)))
  const reflection = connect(loadService('reflection.proto', 'grpc.reflection.v1.ServerReflection'), stage.worker.port)
  const stream = reflection.ServerReflectionInfo()
  const answered = once(stream, 'data')
  stream.write({ file_containing_symbol: SERVICE })
  const [answer] = (await answered) as [{ file_descriptor_response: { file_descriptor_proto: Buffer[] } }]
  const ended = once(stream, 'end')
  stream.end()
  await ended
  const set = new WireWriter()
  for (const file of answer.file_descriptor_response.file_descriptor_proto) set.bytes(1, file)
  const reflected = loadFileDescriptorSetFromBuffer(set.finish(), { keepCase: true, longs: Number })
  const client = connect(reflected[SERVICE] as ServiceDefinition, stage.worker.port)
  const response = await call<Response>(client, 'ModelInfer', typedRequest)
  assert.deepEqual(response.outputs[0]?.contents?.fp32_contents, [2, 4, 6, 8])
  const health = connect(loadService('health.proto', 'grpc.health.v1.Health'), stage.worker.port)
  assert.deepEqual(await call(health, 'Check', { service: SERVICE }), { status: 'SERVING' })
  for (const each of [reflection, client, health]) each.close()
})
