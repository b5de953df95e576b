// The worker's process is killed under load, as its supervisor of a real installation runs it: what callers and
// streams see of it, and that it comes back.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { TroupeError } from '../../../src/contract/errors.ts'
import { startSupervisor } from '../../../src/supervision/index.ts'
import { decodeStreamResponse, encodeRequest } from '../../../src/workers/inference/codec.ts'
import { createInferenceClient, floatRows } from '../../../src/workers/inference/index.ts'
import { embeddedTree } from '../../../supervisors/troupe.ts'
import { scaleModel, temporaryModels } from './support/models.ts'
import { row } from './support/worker.ts'

const BOOT = join(import.meta.dirname, '..', '..', '..', 'src', 'boot', 'inference.ts')
const STREAM = '/inference.GRPCInferenceService/ModelStreamInfer'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** The inference branch of the real tree. */
async function installation() {
  const models = temporaryModels()
  models.put('double', '1', scaleModel(2))
  const port = await freePort()
  const tree = embeddedTree({
    program: () => [BOOT],
    environment: () => ({
      ...process.env,
      TROUPE_MODELS: models.folder,
      TROUPE_INFERENCE_ADDRESS: `127.0.0.1:${port}`,
      TROUPE_INFERENCE_PROVIDERS: 'cpu',
    }),
    output() {},
    graceMs: 2_000,
    hangMs: 0,
  })
  const crashes: number[] = []
  const supervisor = await startSupervisor(
    { ...tree, children: tree.children!.slice(0, 1) },
    { listener: (event) => void (event.type === 'child_crashed' && crashes.push(Number(event.facts.pid))) },
  )
  return {
    address: `127.0.0.1:${port}`,
    crashes,
    kill(): number {
      const { child } = supervisor.whichChildren()[0]!
      assert.ok(child !== undefined && child !== 'restarting', 'the worker runs')
      const pid = Number(child.facts?.().pid)
      process.kill(pid, 'SIGKILL')
      return pid
    },
    async [Symbol.asyncDispose]() {
      await supervisor.stop('shutdown')
      models.clear()
    },
  }
}

test('SIGKILL under load: each call is answered rightly or says why not, and the next worker answers all', async () => {
  await using stage = await installation()
  const client = createInferenceClient({ address: stage.address })
  const refusals: TroupeError[] = []
  let answers = 0
  let wrong = 0
  let stopping = false
  const caller = async (first: number): Promise<void> => {
    for (let value = first; !stopping; value += 32) {
      for (;;) {
        try {
          const [y] = await client.infer('double', [row(value)])
          answers++
          if (floatRows(y!)[0]![0] !== value * 2) wrong++
          break
        } catch (error) {
          assert.ok(error instanceof TroupeError, String(error))
          refusals.push(error)
          // Until it is back the breaker answers at once; a caller that asked without a pause would only burn time.
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
    }
  }
  const callers = Promise.all(Array.from({ length: 32 }, (_, index) => caller(index + 1)))
  const killed: number[] = []
  for (let round = 0; round < 3; round++) {
    // Well into its work, each time.
    const wanted = answers + 500
    await until(() => answers >= wanted)
    killed.push(stage.kill())
    await until(() => stage.crashes.length === round + 1)
  }
  const wanted = answers + 500
  await until(() => answers >= wanted)
  stopping = true
  await callers
  client.close()
  assert.equal(wrong, 0)
  assert.deepEqual(stage.crashes, killed)
  assert.equal(new Set(killed).size, 3)
  for (const { code, message } of refusals) {
    assert.equal(code, 'worker_unavailable', message)
    assert.ok(message.startsWith(`inference worker ${stage.address}: `), message)
  }
})

test('SIGKILL in the middle of a stream: UNAVAILABLE with a reason, no id twice, none wrong, none that was not asked', async () => {
  await using stage = await installation()
  const client = new Client(stage.address, credentials.createInsecure())
  const asIs = (bytes: Buffer): Buffer => bytes
  const stream = client.makeBidiStreamRequest(STREAM, asIs, decodeStreamResponse)
  const failed = once(stream, 'error') as Promise<[ServiceError]>
  const seen = new Map<string, number>()
  let next = 0
  const ask = (): void => {
    const id = String(next++)
    const inputs = [row(Number(id))]
    stream.write(encodeRequest({ model: 'double', version: '', id, parameters: {}, inputs, outputs: [], typed: false }))
  }
  const killed = Promise.withResolvers<number>()
  stream.on('data', ({ error, response }: ReturnType<typeof decodeStreamResponse>) => {
    assert.equal(error, '')
    assert.ok(!seen.has(response.id), `${response.id} was answered twice`)
    seen.set(response.id, floatRows(response.outputs[0]!)[0]![0]!)
    ask()
    if (seen.size === 300) killed.resolve(stage.kill())
  })
  for (let open = 0; open < 64; open++) ask()
  await killed.promise
  const [error] = await failed
  client.close()
  assert.equal(error.code, status.UNAVAILABLE)
  assert.ok(error.details.length > 10, error.details)
  assert.ok(seen.size < next, 'some were under way')
  for (const [id, value] of seen) {
    assert.ok(Number(id) < next)
    assert.equal(value, Number(id) * 2)
  }
})

/** Something is to happen within a minute, or never. */
async function until(happened: () => boolean): Promise<void> {
  const patience = Date.now() + 60_000
  while (!happened()) {
    if (Date.now() > patience) throw new Error('it did not happen within a minute')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
