import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { type ServiceError, status } from '@grpc/grpc-js'
import { TroupeError } from '../../../src/contract/errors.ts'
import { fromGrpcError, loadService, Metrics } from '../../../src/workers/grpc/index.ts'
import { call, collect, connect, echoDefinition, startEcho, type Text } from './support/echo.ts'

test('all four shapes of an rpc answer', async () => {
  const server = await startEcho()
  const client = connect(echoDefinition, server.port)
  assert.equal((await call<Text>(client, 'One', { text: 'a' })).text, 'a')
  assert.deepEqual(
    (await collect<Text>(client.Many({ text: 'abc' }))).map(({ text }) => text),
    ['a', 'b', 'c'],
  )
  const collected = Promise.withResolvers<Text>()
  const sending = client.Collect((error: unknown, response: Text) =>
    error === null ? collected.resolve(response) : collected.reject(error),
  )
  for (const text of ['x', 'y']) sending.write({ text })
  sending.end()
  assert.equal((await collected.promise).text, 'xy')
  const each = client.Each()
  each.write({ text: '1' })
  each.write({ text: '2' })
  each.end()
  assert.deepEqual(
    (await collect<Text>(each)).map(({ text }) => text),
    ['1', '2'],
  )
  client.close()
  await server.stop()
})

test('a coded error keeps its code, message and status across the wire', async () => {
  const server = await startEcho({}, () => {
    throw new TroupeError('model_not_found', 'no model “x\ud800y”')
  })
  const client = connect(echoDefinition, server.port)
  const error = await call(client, 'One', {}).catch((caught: ServiceError) => caught)
  assert.equal((error as ServiceError).code, status.NOT_FOUND)
  const coded = fromGrpcError(error as ServiceError, 'One')
  assert.equal(coded.code, 'model_not_found')
  assert.match(coded.message, /no model “x.y”/)
  client.close()
  await server.stop()
})

test('a refusal for want of room says when to come back, in gRPC’s own words', async () => {
  const server = await startEcho({}, () => {
    throw new TroupeError('overloaded', 'the queue is full')
  })
  const client = connect(echoDefinition, server.port)
  const error = (await call(client, 'One', {}).catch((caught: ServiceError) => caught)) as ServiceError
  assert.equal(error.code, status.RESOURCE_EXHAUSTED)
  assert.deepEqual(error.metadata.get('grpc-retry-pushback-ms'), ['200'])
  client.close()
  await server.stop()
})

test('a thrown value without a code is internal, an unknown rpc unimplemented', async () => {
  const server = await startEcho({}, () => {
    throw new Error('oops')
  })
  const client = connect(echoDefinition, server.port)
  await assert.rejects(call(client, 'One', {}), { code: status.INTERNAL })
  await assert.rejects(call(client, 'Missing', {}), { code: status.UNIMPLEMENTED })
  client.close()
  await server.stop()
})

test('bytes that are no message are the caller’s mistake, with a reason', async () => {
  const server = await startEcho()
  const client = connect(echoDefinition, server.port)
  const reply = Promise.withResolvers<ServiceError | null>()
  client.makeUnaryRequest(
    '/troupe.test.Echo/One',
    () => Buffer.from([0x0a, 0xff, 0xff]),
    (bytes) => bytes,
    {},
    (error) => reply.resolve(error),
  )
  const error = await reply.promise
  assert.equal(error?.code, status.INVALID_ARGUMENT)
  assert.match(error?.details ?? '', /undecodable/)
  client.close()
  await server.stop()
})

test('a message over the limit is refused with resource_exhausted', async () => {
  const server = await startEcho({ limits: { messageBytes: 1_000 } })
  const client = connect(echoDefinition, server.port)
  await assert.rejects(call(client, 'One', { text: 'x'.repeat(2_000) }), { code: status.RESOURCE_EXHAUSTED })
  client.close()
  await server.stop()
})

test('a deadline and a cancel reach the handler as an abort signal', async (t) => {
  const reasons: string[] = []
  let seen = Promise.withResolvers<void>()
  const server = await startEcho({}, async (request, { signal }) => {
    seen.resolve()
    seen = Promise.withResolvers<void>()
    await once(signal, 'abort')
    reasons.push((signal.reason as TroupeError).code)
    seen.resolve()
    return request
  })
  t.after(() => server.stop())
  const client = connect(echoDefinition, server.port)
  t.after(() => client.close())
  await assert.rejects(call(client, 'One', {}, { deadline: Date.now() + 100 }), { code: status.DEADLINE_EXCEEDED })
  await seen.promise
  seen = Promise.withResolvers<void>()
  const running = client.One({}, () => {})
  await seen.promise
  running.cancel()
  await seen.promise
  // At its deadline the caller cancels, too; whichever is heard first.
  assert.match(reasons[0]!, /^(deadline_exceeded|cancelled)$/)
  assert.deepEqual(reasons.slice(1), ['cancelled'])
})

test('drain lets a running call end, and says NOT_SERVING meanwhile', async () => {
  const started = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const server = await startEcho({}, async (request) => {
    started.resolve()
    await finish.promise
    return request
  })
  const client = connect(echoDefinition, server.port)
  const health = connect(loadService('health.proto', 'grpc.health.v1.Health'), server.port)
  const watch = health.Watch({ service: '' })
  const statuses: string[] = []
  watch.on('data', (message: { status: string }) => statuses.push(message.status))
  const watched = once(watch, 'end')
  await once(watch, 'data')
  const running = call<Text>(client, 'One', { text: 'late' })
  await started.promise
  const drained = server.drain(5_000)
  await watched
  finish.resolve()
  assert.equal((await running).text, 'late')
  await drained
  assert.deepEqual(statuses, ['SERVING', 'NOT_SERVING'])
  client.close()
  health.close()
})

test('a call that outlives the grace of a drain is aborted', async () => {
  const started = Promise.withResolvers<void>()
  let reason: unknown
  const server = await startEcho({}, async (request, { signal }) => {
    started.resolve()
    await once(signal, 'abort')
    reason = signal.reason
    return request
  })
  const client = connect(echoDefinition, server.port)
  const running = call(client, 'One', {}).catch((error: ServiceError) => error.code)
  await started.promise
  await server.drain(20)
  assert.notEqual(await running, undefined)
  assert.equal((reason as TroupeError).code, 'draining')
  client.close()
})

test('a port that is taken is a configuration error', async () => {
  const server = await startEcho()
  await assert.rejects(startEcho({ address: `127.0.0.1:${server.port}` }), { code: 'configuration_invalid' })
  await server.stop()
})

test('calls are counted by method and status, and timed in seconds, as Prometheus text', async () => {
  const metrics = new Metrics()
  const server = await startEcho({ metrics })
  const client = connect(echoDefinition, server.port)
  await call(client, 'One', { text: 'a' })
  const text = metrics.text()
  assert.match(text, /troupe_grpc_calls_total\{method="\/troupe.test.Echo\/One",status="OK"\} 1\n/)
  assert.match(text, /troupe_grpc_call_seconds_bucket\{method="\/troupe.test.Echo\/One",le="\+Inf"\} 1\n/)
  client.close()
  await server.stop()
})

test('a stream that is refused in its middle ends with the reason, not in silence', async () => {
  const server = await startEcho()
  const client = connect(echoDefinition, server.port)
  const stream = client.makeBidiStreamRequest(
    '/troupe.test.Echo/Each',
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => bytes,
  )
  stream.resume()
  const failed = once(stream, 'error', { signal: AbortSignal.timeout(5_000) })
  stream.write(Buffer.from([0x0a, 0x01, 0x61]))
  stream.write(Buffer.from([0x0a, 0xff, 0xff]))
  const [error] = (await failed) as [ServiceError]
  assert.equal(error.code, status.INVALID_ARGUMENT)
  client.close()
  await server.stop()
})
