// A machine that vanishes: nothing gets through, and nobody is told.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { loadService, startGrpcServer, unary } from '../../../src/workers/grpc/index.ts'
import { createInferenceClient } from '../../../src/workers/inference/index.ts'
import { createRetrievalClient } from '../../../src/workers/retrieval/index.ts'
import { eventually } from '../../support/eventually.ts'
import { openTcpProxy } from '../../support/tcp-proxy.ts'
import { scaleModel } from '../inference/support/models.ts'
import { scene as inferenceScene, row } from '../inference/support/worker.ts'
import { scene as retrievalScene } from '../retrieval/scene.ts'

/** Two of these are longer than an event loop of a busy machine stands still. */
const SILENCE_MS = 500
/** Those who wait for less than this did not wait for their deadline. */
const DEADLINE_MS = 120_000

async function proxyBefore(t: TestContext, port: number) {
  const proxy = await openTcpProxy({ host: '127.0.0.1', port })
  t.after(() => proxy.close())
  return { proxy, address: `127.0.0.1:${proxy.port}` }
}

const later = (ms = DEADLINE_MS) => ({ deadline: Date.now() + ms })

async function codeOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'ok',
    (error) => error.code,
  )
}

// Each waits for timers of its own.
describe('silence', { concurrency: true }, () => {
  for (const unary of [false, true]) {
    const how = unary ? 'unary calls' : 'its stream'
    test(`an inference worker that vanished is hung up on and rested, and found again: ${how}`, async (t) => {
      await using stage = await inferenceScene((models) => models.put('double', '1', scaleModel(2)))
      const { proxy, address } = await proxyBefore(t, stage.worker.port)
      const client = createInferenceClient({ address, unary, silenceMs: SILENCE_MS, breaker: { failures: 1_000 } })
      t.after(() => client.close())
      await client.infer('double', [row(1)], later())
      proxy.partition()
      assert.equal(await codeOf(client.infer('double', [row(1)], later())), 'worker_unavailable')
      await assert.rejects(client.infer('double', [row(1)], later()), /again and again/)
      proxy.heal()
      await eventually('answers again', async () => (await codeOf(client.infer('double', [row(1)], later()))) === 'ok')
    })
  }

  test('a retrieval worker that vanished is hung up on by searches and by an upsert, and found again', async (t) => {
    await using stage = await retrievalScene()
    const { proxy, address } = await proxyBefore(t, stage.worker.port)
    const client = createRetrievalClient({ address, silenceMs: SILENCE_MS })
    t.after(() => client.close())
    const upsert = () => client.upsert('c', [{ documentId: 'd', text: 'words' }], { tenant: 'acme', ...later() })
    const search = () => client.search('c', 'words', { tenant: 'acme', ...later() })
    assert.equal((await upsert()).stored, 1)
    proxy.partition()
    assert.deepEqual(await Promise.all([codeOf(search()), codeOf(upsert())]), [
      'worker_unavailable',
      'worker_unavailable',
    ])
    proxy.heal()
    await eventually('found again', async () => (await codeOf(search())) === 'ok')
    assert.equal((await upsert()).unchanged, 1)
  })

  test('a worker that works longer than its callers wait is not taken for one that vanished', async (t) => {
    let open = 0
    let most = 0
    const server = await startGrpcServer({
      address: '127.0.0.1:0',
      services: [
        {
          definition: loadService('inference.proto', 'inference.GRPCInferenceService'),
          methods: {
            ModelInfer: unary(async (_, call) => {
              most = Math.max(most, ++open)
              await new Promise<void>((resolve) =>
                call.signal.addEventListener('abort', () => resolve(), { once: true }),
              )
              open--
              return {}
            }),
          },
        },
      ],
    })
    t.after(() => server.stop())
    const client = createInferenceClient({ address: `127.0.0.1:${server.port}`, unary: true, silenceMs: 1_000 })
    t.after(() => client.close())
    // All run out, for longer than a silence is borne; the one that has time is neither cut off nor refused.
    const patient = codeOf(client.infer('slow', [row(1)], later(5_000)))
    for (let calls = 0; calls < 4; calls++) {
      assert.equal(await codeOf(client.infer('slow', [row(1)], later(1_000))), 'deadline_exceeded')
    }
    assert.equal(await patient, 'deadline_exceeded')
    assert.ok(most > 1)
  })

  test('a client that vanished is hung up on, and what it asked for is given up; one that lives is not', async (t) => {
    const open = new Set<string>()
    const server = await startGrpcServer({
      address: '127.0.0.1:0',
      // Both ends are this process: it must not stand still for so long.
      limits: { silenceMs: 2_000 },
      services: [
        {
          definition: loadService('inference.proto', 'inference.GRPCInferenceService'),
          methods: {
            ModelInfer: unary(async (request, call) => {
              const { model_name: name } = request as { model_name: string }
              open.add(name)
              await new Promise<void>((resolve) =>
                call.signal.addEventListener('abort', () => resolve(), { once: true }),
              )
              open.delete(name)
              return {}
            }),
          },
        },
      ],
    })
    t.after(() => server.stop())
    const { proxy, address } = await proxyBefore(t, server.port)
    const client = (to: string) => {
      const made = createInferenceClient({ address: to, unary: true, silenceMs: 0 })
      t.after(() => made.close())
      return made
    }
    const ended = [
      codeOf(client(address).infer('vanishing', [row(1)], later())),
      codeOf(client(`127.0.0.1:${server.port}`).infer('living', [row(1)], later())),
    ]
    await eventually('both are at work', async () => open.size === 2)
    proxy.partition()
    await eventually('the call of the one that vanished is given up', async () => !open.has('vanishing'))
    assert.deepEqual([...open], ['living'])
    proxy.heal()
    await server.stop()
    await Promise.all(ended)
  })
})
