import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
  type StatusObject,
  status,
} from '@grpc/grpc-js'
import { TroupeError } from '../../../src/contract/errors.ts'
import { DirectStream } from '../../../src/workers/grpc/direct-stream.ts'
import { type Call, duplex, type MessageStream, startGrpcServer } from '../../../src/workers/grpc/index.ts'
import { echoDefinition } from './support/echo.ts'

const asIs = (bytes: Buffer): Buffer => bytes
type Serve = (stream: MessageStream<Buffer, Buffer>, call: Call) => Promise<void>
type Talk = ClientDuplexStream<Buffer, Buffer>

const echo: Serve = (stream) => {
  stream.onMessage((message, memory) => {
    stream.send(Buffer.from(message))
    stream.giveBack(memory)
  })
  return new Promise((resolve) => stream.onEnd(resolve))
}

/** A server whose one hot method takes and gives bytes, and a call of it by grpc-js's own client. */
async function talk(serve: Serve, channel: object = {}, call: { deadline?: number; metadata?: Metadata } = {}) {
  const each = { ...echoDefinition.Each!, requestDeserialize: asIs, responseSerialize: asIs }
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    limits: { messageBytes: 5_000_000 },
    services: [
      {
        definition: { Each: each },
        methods: {
          Each: duplex<Buffer, Buffer>((stream, given) => serve(stream as MessageStream<Buffer, Buffer>, given)),
        },
      },
    ],
  })
  const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
    ...channel,
  })
  const { metadata = new Metadata(), ...options } = call
  const rpc: Talk = client.makeBidiStreamRequest(each.path, asIs, asIs, metadata, options)
  return {
    rpc,
    server,
    async [Symbol.asyncDispose]() {
      rpc.on('error', () => {})
      rpc.cancel()
      client.close()
      await server.stop()
    },
  }
}

async function answers(rpc: Talk, wanted: number): Promise<Buffer[]> {
  const all: Buffer[] = []
  for await (const answer of rpc.iterator({ destroyOnReturn: false })) {
    all.push(answer as Buffer)
    if (all.length === wanted) break
  }
  return all
}

test('messages of all sizes come back unchanged and in order, then the status', async () => {
  await using stage = await talk(echo)
  const sent = [0, 1, 100, 16_379, 16_384, 50_000, 70_000, 1_500_000, 3].map((size, index) =>
    Buffer.alloc(size, index + 1),
  )
  for (const message of [...sent, ...sent]) stage.rpc.write(message)
  const ended = once(stage.rpc, 'status') as Promise<[StatusObject]>
  const received = await answers(stage.rpc, sent.length * 2)
  assert.ok(received.every((message, index) => message.equals(sent[index % sent.length]!)))
  stage.rpc.end()
  stage.rpc.resume()
  assert.equal((await ended)[0].code, status.OK)
})

test('plain calls go past grpc-js; compressed ones go through it, and are answered all the same', async () => {
  for (const [channel, direct] of [
    [{}, true],
    [{ 'grpc.default_compression_algorithm': 2 }, false],
  ] as const) {
    let seen: boolean | undefined
    await using stage = await talk((stream, call) => {
      seen = stream instanceof DirectStream
      return echo(stream, call)
    }, channel)
    stage.rpc.write(Buffer.alloc(2_000, 'a'))
    assert.equal((await answers(stage.rpc, 1))[0]!.length, 2_000)
    assert.equal(seen, direct)
  }
})

test('what a handler throws arrives with its code, after the answers that were sent before it', async () => {
  await using stage = await talk(async (stream) => {
    await new Promise<void>((resolve) =>
      stream.onMessage((message) => {
        stream.send(Buffer.from(message))
        resolve()
      }),
    )
    throw new TroupeError('model_not_found', 'no model “x\ud800y”')
  })
  const failed = once(stage.rpc, 'error') as Promise<[ServiceError]>
  stage.rpc.write(Buffer.from('hello'))
  const [answer] = (await once(stage.rpc, 'data')) as [Buffer]
  assert.equal(String(answer), 'hello')
  const [error] = await failed
  assert.equal(error.code, status.NOT_FOUND)
  assert.deepEqual(error.metadata.get('troupe-code'), ['model_not_found'])
  assert.match(error.details, /no model “x.y”/)
})

test('a handler that refuses at once is heard although the caller has sent more than it reads', async () => {
  await using stage = await talk(async () => {
    throw new TroupeError('overloaded', 'not now')
  })
  const failed = once(stage.rpc, 'error') as Promise<[ServiceError]>
  for (let count = 0; count < 100; count++) stage.rpc.write(Buffer.alloc(100_000))
  const [error] = await failed
  assert.equal(error.code, status.RESOURCE_EXHAUSTED)
})

test('a message over the limit ends the call with a reason, in either direction', async () => {
  await using large = await talk(echo)
  const refused = once(large.rpc, 'error') as Promise<[ServiceError]>
  large.rpc.write(Buffer.alloc(5_000_001))
  const [error] = await refused
  assert.equal(error.code, status.RESOURCE_EXHAUSTED)
  assert.match(error.details, /5000001 bytes/)
  await using answer = await talk((stream) => {
    stream.onMessage(() => stream.send(Buffer.alloc(5_000_001)))
    return new Promise((resolve) => stream.onEnd(resolve))
  })
  const failed = once(answer.rpc, 'error') as Promise<[ServiceError]>
  answer.rpc.write(Buffer.from('more'))
  assert.match((await failed)[0].details, /an answer of 5000001 bytes/)
})

test('metadata, deadline and cancel reach the handler; a deadline ends the call by itself', async () => {
  const metadata = new Metadata()
  metadata.set('who', 'me')
  const seen = Promise.withResolvers<Call>()
  const waits: Serve = async (stream, call) => {
    stream.onMessage(() => {})
    seen.resolve(call)
    await new Promise(() => {})
  }
  const deadline = Date.now() + 300
  await using late = await talk(waits, {}, { deadline, metadata })
  const failed = once(late.rpc, 'error') as Promise<[ServiceError]>
  const call = await seen.promise
  assert.deepEqual(call.metadata.getMap(), { who: 'me', 'user-agent': call.metadata.get('user-agent')[0] })
  assert.ok(Math.abs(call.deadline - deadline) < 250, `${call.deadline - deadline} ms apart`)
  assert.equal((await failed)[0].code, status.DEADLINE_EXCEEDED)
  const again = Promise.withResolvers<Call>()
  await using cancelled = await talk(async (stream, given) => {
    stream.onMessage(() => again.resolve(given))
    await new Promise(() => {})
  })
  cancelled.rpc.on('error', () => {})
  cancelled.rpc.write(Buffer.from('begin'))
  const { signal } = await again.promise
  cancelled.rpc.cancel()
  if (!signal.aborted) await once(signal, 'abort')
  assert.equal((signal.reason as TroupeError).code, 'cancelled')
})

test('a paused stream gives nothing more; a caller that does not read is noticed, and so is that it reads again', async () => {
  const resumed = Promise.withResolvers<() => void>()
  const drained = Promise.withResolvers<void>()
  let given = 0
  await using stage = await talk(async (stream) => {
    stream.onDrain(() => drained.resolve())
    stream.onMessage(() => {
      given++
      if (given > 1) return
      stream.pause()
      const fill = (): void => {
        // What one turn may send is bounded too.
        while (stream.send(Buffer.alloc(100_000)));
        // Taken by the connection at once, perhaps: until the caller's window is used up.
        setImmediate(() => (stream.needsDrain ? resumed.resolve(() => stream.resume()) : fill()))
      }
      fill()
    })
    await new Promise<void>((resolve) => stream.onEnd(resolve))
  })
  for (const text of ['one', 'two', 'three']) stage.rpc.write(Buffer.from(text))
  stage.rpc.end()
  const resume = await resumed.promise
  assert.equal(given, 1)
  stage.rpc.resume()
  await drained.promise
  assert.equal(given, 1)
  const ended = once(stage.rpc, 'status') as Promise<[StatusObject]>
  resume()
  assert.equal((await ended)[0].code, status.OK)
  assert.equal(given, 3)
})
