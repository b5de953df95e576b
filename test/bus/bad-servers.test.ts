// What stands at NATS' address and is not what it should be: refused within five seconds with what is wrong, or healed.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { type JetStreamManager, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream'
import { connect, nanos } from '@nats-io/transport-node'
import { openNatsBus } from '../../src/bus/nats/index.ts'
import { missing, startNats } from '../support/servers.ts'

/** Five seconds, and what a busy machine may add. Unbounded, the client would try for twenty and then again. */
const LIMIT_MS = 10_000
const options = { timeout: 120_000 }
const withNats = { ...options, skip: missing('nats') }

for (const [what, answer] of [
  ['something that is silent', ''],
  ['a web server', 'HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n'],
  ['something that talks nonsense', '\0\xff INFO {{{\r\n\r\n'],
] as const) {
  test(`${what} where NATS should be is refused in five seconds, by its address`, options, async (t) => {
    const open = new Set<Socket>()
    const server = createServer((socket) => {
      open.add(socket)
      socket.on('error', () => {})
      if (answer !== '') socket.write(answer)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      for (const socket of open) socket.destroy()
      server.close()
    })
    const { port } = server.address() as { port: number }
    const before = performance.now()
    await assert.rejects(openNatsBus({ url: `nats://127.0.0.1:${port}` }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'bus_unavailable')
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`))
      assert.equal(error.message.split('\n').length, 1)
      return true
    })
    assert.ok(performance.now() - before < LIMIT_MS, `${performance.now() - before} ms`)
  })
}

async function scene(
  t: { after(end: () => Promise<void>): void },
  config = '',
): Promise<{ url: string; manager: JetStreamManager }> {
  const server = await startNats({ config })
  const nats = await connect({ servers: server.url })
  t.after(async () => {
    await nats.close()
    await server.stop()
  })
  return { url: server.url, manager: await jetstreamManager(nats) }
}

test('streams that somebody gave other limits are brought back to ours, with what they hold', withNats, async (t) => {
  const { url, manager } = await scene(t)
  await manager.streams.add({
    name: 'TROUPE_EVENTS_SYSTEM_ALERT',
    subjects: ['troupe.events.system_alert.>'],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_age: nanos(3_600_000),
    max_msgs: 10,
  })
  const bus = await openNatsBus({ url })
  const { config } = await manager.streams.info('TROUPE_EVENTS_SYSTEM_ALERT')
  assert.deepEqual([config.max_age, config.max_msgs], [365 * 86_400e9, -1])
  await bus.close()
})

test(
  'a stream of somebody else that holds our subjects is told by name, and nothing of it is changed',
  withNats,
  async (t) => {
    const { url, manager } = await scene(t)
    await manager.streams.add({ name: 'THEIRS', subjects: ['troupe.events.>'] })
    await assert.rejects(openNatsBus({ url }), {
      code: 'configuration_invalid',
      message: /TROUPE_EVENTS_DOCUMENT_UPLOADED/,
    })
    assert.deepEqual((await manager.streams.info('THEIRS')).config.subjects, ['troupe.events.>'])
  },
)

test('a server that makes no more streams is refused with what it said', withNats, async (t) => {
  const user = 'users: [{ user: troupe, password: few }], jetstream { max_streams: 2 }'
  const server = await startNats({ config: `accounts { TROUPE { ${user} } }` })
  t.after(() => server.stop())
  await assert.rejects(openNatsBus({ url: server.url.replace('//', '//troupe:few@') }), {
    code: 'configuration_invalid',
    message: /TROUPE_EVENTS_\w+: maximum number of streams reached/,
  })
})

test(
  'a server that takes only small messages refuses the large one alone, and the connection lives',
  withNats,
  async (t) => {
    const server = await startNats({ config: 'max_payload: 1024' })
    t.after(() => server.stop())
    const bus = await openNatsBus({ url: server.url })
    const large = { id: 'evt_1', type: 'system_alert' as const, at: 0, data: { message: 'x'.repeat(10_000) } }
    await assert.rejects(bus.publishPlatform(large), { code: 'bus_unavailable' })
    await bus.publishPlatform({ ...large, id: 'evt_2', data: {} })
    assert.equal(bus.status().connected, true)
    await bus.close()
  },
)
