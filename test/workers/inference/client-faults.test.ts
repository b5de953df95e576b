import assert from 'node:assert/strict'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { type handleUnaryCall, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { TroupeError } from '../../../src/contract/errors.ts'
import { duplex, loadService, startGrpcServer, unary } from '../../../src/workers/grpc/index.ts'
import { createInferenceClient, floatTensor, startInferenceWorker } from '../../../src/workers/inference/index.ts'
import { scaleModel, slowModel } from './support/models.ts'
import { row, scene } from './support/worker.ts'

const definition = loadService('inference.proto', 'inference.GRPCInferenceService')
const answer = { outputs: [{ name: 'y', datatype: 'FP32', shape: [1], contents: { fp32_contents: [42] } }] }

test('a server without Triton’s stream is called by unary calls', async () => {
  let traceparent: string | undefined
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    services: [
      {
        definition,
        methods: {
          ModelInfer: unary((_, call) => {
            traceparent = call.traceparent
            return answer
          }),
        },
      },
    ],
  })
  const client = createInferenceClient({ address: `127.0.0.1:${server.port}` })
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const [y] = await client.infer('any', [row(1)], { traceparent: trace })
  assert.equal(y?.bytes.readFloatLE(0), 42)
  assert.equal(traceparent, trace)
  client.close()
  await server.stop()
})

test('a server of other people that has no such model: model_not_found, as of our own', async () => {
  const missing: handleUnaryCall<unknown, unknown> = (_, reply) => reply({ code: status.NOT_FOUND, details: 'unknown' })
  const server = new Server()
  server.addService(definition, { ModelInfer: missing, ModelMetadata: missing })
  const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', ServerCredentials.createInsecure())
  const client = createInferenceClient({ address: `127.0.0.1:${port}`, unary: true })
  await assert.rejects(client.infer('nobody', [row(1)]), { code: 'model_not_found' })
  await assert.rejects(client.metadata('nobody'), { code: 'model_not_found' })
  client.close()
  server.forceShutdown()
})

test('a call that broke off is repeated; a refusal is not', async () => {
  let calls = 0
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    services: [
      {
        definition,
        methods: {
          ModelInfer: unary(() => {
            calls++
            if (calls === 1) throw new TroupeError('worker_unavailable', 'not now')
            if (calls === 3) throw new TroupeError('invalid_input', 'never')
            return answer
          }),
        },
      },
    ],
  })
  const client = createInferenceClient({ address: `127.0.0.1:${server.port}`, unary: true })
  await client.infer('any', [row(1)])
  assert.equal(calls, 2)
  await assert.rejects(client.infer('any', [row(1)]), { code: 'invalid_input' })
  assert.equal(calls, 3)
  client.close()
  await server.stop()
})

test('a stream that the server ends is opened again, and what it carried is sent again', async () => {
  let streams = 0
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    services: [
      {
        definition,
        methods: {
          ModelStreamInfer: duplex<{ id: string }, object>(async (rpc) => {
            streams++
            if (streams === 1) return
            rpc.onMessage((request) => rpc.send({ infer_response: { ...answer, id: (request as { id: string }).id } }))
            await new Promise<void>((resolve) => rpc.onEnd(resolve))
          }),
        },
      },
    ],
  })
  const client = createInferenceClient({ address: `127.0.0.1:${server.port}` })
  const [y] = await client.infer('any', [row(1)])
  assert.equal(y?.bytes.readFloatLE(0), 42)
  assert.equal(streams, 2)
  client.close()
  await server.stop()
})

test('a worker that drains answers what it has, and the client finds the one that follows it', async () => {
  const stage = await scene((models) => models.put('double', '1', scaleModel(2)))
  await stage.client.infer('double', [row(1)])
  const running = Array.from({ length: 20 }, () => stage.client.infer('double', [row(1)]))
  await Promise.all(running)
  await stage.worker.drain(2_000)
  const next = await startInferenceWorker({
    address: `127.0.0.1:${stage.worker.port}`,
    models: stage.models.folder,
    providers: ['cpu'],
  })
  assert.equal((await stage.client.infer('double', [row(1)])).length, 1)
  stage.client.close()
  await next.stop()
  stage.models.clear()
})

test('nobody there: unavailable, then the breaker answers at once', async () => {
  const client = createInferenceClient({ address: '127.0.0.1:1', breaker: { failures: 2, openMs: 60_000 } })
  await assert.rejects(client.infer('any', [row(1)], { deadline: Date.now() + 5_000 }), { code: 'worker_unavailable' })
  const startedAt = performance.now()
  await assert.rejects(client.infer('any', [row(1)]), { code: 'worker_unavailable', message: /again and again/ })
  assert.ok(performance.now() - startedAt < 10_000)
  client.close()
})

test('an abort ends a call at once with its reason; a closed client refuses', async () => {
  await using stage = await scene((models) => models.put('slow', '1', slowModel(2_000)))
  const many = floatTensor('x', [64, 256], new Float32Array(64 * 256))
  const abort = new AbortController()
  const reason = new Error('enough')
  const call = stage.client.infer('slow', [many], { signal: abort.signal })
  abort.abort(reason)
  await assert.rejects(call, reason)
  await assert.rejects(stage.client.infer('slow', [many], { signal: abort.signal }), reason)
  const open = stage.client.infer('slow', [many])
  stage.client.close()
  await assert.rejects(open, { code: 'cancelled' })
  await assert.rejects(stage.client.infer('slow', [many]), { code: 'cancelled' })
})

test('requests under way are bounded', async () => {
  await using stage = await scene((models) => models.put('double', '1', scaleModel(2)), {}, { maxPending: 3 })
  const ends = await Promise.allSettled(Array.from({ length: 5 }, () => stage.client.infer('double', [row(1)])))
  assert.deepEqual(
    ends.map((end) => (end.status === 'rejected' ? end.reason.code : 'ok')),
    ['ok', 'ok', 'ok', 'overloaded', 'overloaded'],
  )
})
