// What a host tells the platform's event streams: summed up and bounded in itself, and told by real installations.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { documentsIn, startPlatformFeed } from '../../src/boot/platform-feed.ts'
import { PLATFORM_DATA, platformEventSchema } from '../../src/bus/platform-events.ts'
import { createClient } from '../../src/cli/client.ts'
import { TroupeError } from '../../src/contract/errors.ts'
import type { PlatformEvent } from '../../src/contract/events.ts'
import { newId } from '../../src/contract/ids.ts'
import type { TaskRow } from '../../src/journal/journal.ts'
import { missing, startNats, startPostgres, type TestServer } from '../support/servers.ts'
import { type Installation, ROOT, startInstallation } from './installation.ts'

const taskOf = (input: unknown): TaskRow => {
  const times = { createdAt: 0, updatedAt: 0, lastEvent: 1, mailPosition: 0, mailRead: 0 }
  const kind = { tenant: 't', agent: 'reader', agentVersion: '1.0.0', priority: 'normal', state: 'running' } as const
  return { id: newId('task'), ...kind, input, epoch: 1, version: 1, ownerDeaths: 0, depth: 0, ...times }
}

function heard() {
  const events: PlatformEvent[] = []
  const bus = {
    async publishPlatform(event: PlatformEvent) {
      platformEventSchema.parse(event)
      events.push(event)
    },
  }
  return { bus, events, of: (type: string) => events.filter((event) => event.type === type).map(({ data }) => data) }
}

test('ten thousand ends of tasks are one event a window, with counts and percentiles', () => {
  const { bus, events, of } = heard()
  let now = 0
  const feed = startPlatformFeed(bus, 'host-1', { now: () => now })
  const task = taskOf({ n: 1 })
  for (let n = 1; n <= 10_000; n++) feed.ended(task, n % 100 === 0 ? 'failed' : 'completed', n)
  feed.ended(task, 'completed', -3_600_000)
  now = 10_000
  assert.equal(events.length, 0)
  feed.stop()
  assert.equal(events.length, 1)
  const { ms, ...rest } = of('performance_metric')[0] as { ms: { p50: number; p95: number; max: number } }
  const counts = { completed: 9_901, failed: 100, cancelled: 0, rejected: 0 }
  assert.deepEqual(rest, { host: 'host-1', agent: 'reader', windowMs: 10_000, ...counts })
  assert.ok(Math.abs(ms.p50 - 5_000) < 1_500 && Math.abs(ms.p95 - 9_500) < 600 && ms.max === 10_000, JSON.stringify(ms))
})

test('a task’s end is told for each document that its input names, and for nothing else', () => {
  const { bus, of } = heard()
  const feed = startPlatformFeed(bus, 'host-1')
  const [one, two, three] = [newId('doc'), newId('doc'), newId('doc')]
  const task = taskOf({
    document: one,
    more: [{ id: two }, 'doc_wrong', 7],
    nested: { id: three, again: one },
    text: 'doc_',
  })
  feed.ended(task, 'failed', 5, 'document_unreadable')
  feed.stop()
  const about = { state: 'failed', ms: 5, task: task.id, agent: 'reader', error: 'document_unreadable' }
  assert.deepEqual(
    of('document_processed'),
    [one, two, three].map((document) => ({ document, ...about })),
  )
  assert.deepEqual(documentsIn(Object.fromEntries(Array.from({ length: 500 }, (_, n) => [n, newId('doc')]))).length, 50)
  for (const odd of [null, undefined, 1, 'doc', [], [null], { a: { b: { c: { d: newId('doc') } } } }]) {
    assert.deepEqual(documentsIn(odd), [])
  }
})

test('the same trouble is told once a minute, with how often it was kept quiet; its memory is bounded', () => {
  const { bus, of } = heard()
  let now = 0
  const feed = startPlatformFeed(bus, 'host-1', { now: () => now })
  const gone = new TroupeError('journal_unavailable', 'Postgres is away.')
  for (let n = 0; n < 500; n++) feed.trouble(`committing for ${newId('task')}`, gone)
  assert.equal(of('system_alert').length, 1)
  now = 60_000
  feed.trouble(`committing for ${newId('task')}`, gone)
  const about = { severity: 'critical', code: 'journal_unavailable', about: 'committing for a task', host: 'host-1' }
  assert.deepEqual(of('system_alert'), [
    { ...about, message: 'Postgres is away.', repeated: 0 },
    { ...about, message: 'Postgres is away.', repeated: 499 },
  ])
  feed.trouble('x'.repeat(10_000), new Error('y'.repeat(10_000)))
  feed.trouble('something odd', 'not even an error')
  assert.equal(of('system_alert').length, 4)
  feed.stop()
})

test('an event that cannot be published harms nobody', async () => {
  const feed = startPlatformFeed({ publishPlatform: () => Promise.reject(new Error('away')) }, 'host-1')
  feed.ended(taskOf({ document: newId('doc') }), 'completed', 1)
  feed.trouble('x', new Error('y'))
  feed.stop()
  await new Promise((resolve) => setImmediate(resolve))
})

/** A busy machine may have other trouble to tell of. */
const crashed = (seen: Map<string, unknown[]>) =>
  seen.get('system_alert')?.find((data) => (data as { about: string }).about === 'running feed-crasher')

/** What a topology tells of a document, a good task and an agent that crashes, by HTTP and by the command. */
function toldBy(name: string, start: () => Promise<Installation>, skip: string | false = false) {
  describe(name, { skip, timeout: 240_000 }, () => {
    let troupe: Installation
    before(async () => {
      troupe = await start()
    })
    after(() => troupe?.stop())

    test('documents, tasks and trouble are told in the platform’s event streams, to the end of the wire', async () => {
      const stop = new AbortController()
      const seen = new Map<string, unknown[]>(Object.keys(PLATFORM_DATA).map((type) => [type, []]))
      const complete = Promise.withResolvers<void>()
      const following = (async () => {
        const query = {
          after: Object.keys(PLATFORM_DATA)
            .map((type) => `${type}:0`)
            .join(','),
        }
        const events = createClient(troupe.url, troupe.key).stream('/v1/events', { query, signal: stop.signal })
        for await (const { event, data } of events) {
          platformEventSchema.parse(data)
          seen.get(event)?.push((data as PlatformEvent).data)
          if ([...seen.values()].every((of) => of.length > 0) && crashed(seen) !== undefined) complete.resolve()
        }
      })().catch(complete.reject)

      const form = new FormData()
      form.set('file', new Blob(['Five!']), 'five.txt')
      const headers = { authorization: `Bearer ${troupe.key}` }
      const uploaded = await fetch(`${troupe.url}/v1/documents`, { method: 'POST', headers, body: form })
      const document = (await uploaded.json()) as { id: string }
      const task = await troupe.call('POST', '/v1/tasks', { agent: 'feed-reader', input: { document: document.id } })
      for (let n = 0; n < 12; n++) await troupe.call('POST', '/v1/tasks', { agent: 'feed-crasher', input: {} })
      await complete.promise
      stop.abort()
      await following.catch(() => {})

      const { ms, ...processed } = seen.get('document_processed')![0] as { ms: number }
      assert.deepEqual(processed, { document: document.id, state: 'completed', task: task.id, agent: 'feed-reader' })
      assert.equal((seen.get('document_uploaded')![0] as { document: string }).document, document.id)
      assert.ok(ms >= 0)
      assert.equal((seen.get('agent_status')![0] as { agent: string }).agent, 'feed-crasher')
      assert.equal((crashed(seen) as { code: string }).code, 'agent_crashed')

      const listed = JSON.parse((await troupe.troupe(['events', '--list', '--json'])).out)
      assert.deepEqual(listed.streams.length, 5)
      const command = spawn(
        process.execPath,
        [join(ROOT, 'src/cli/troupe.ts'), '--url', troupe.url, '--key', troupe.key].concat([
          '--json',
          'events',
          'document_processed',
          '--after',
          'document_processed:0',
        ]),
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      const [line] = (await once(command.stdout, 'data')) as [Buffer]
      command.kill('SIGKILL')
      assert.equal((JSON.parse(line.toString()) as PlatformEvent).data.document, document.id)
    })

    test('a task that kills its hosts is told of when it is quarantined', async () => {
      const { id } = await troupe.call('POST', '/v1/tasks', { agent: 'feed-killer', input: {} })
      const stop = new AbortController()
      const found = Promise.withResolvers<{ code: string; severity: string; about: string; message: string }>()
      const follow = async () => {
        const query = { stream: 'system_alert', after: 'system_alert:0' }
        for await (const { data } of createClient(troupe.url, troupe.key).stream('/v1/events', {
          query,
          signal: stop.signal,
        })) {
          const alert = (data as PlatformEvent).data as {
            code: string
            severity: string
            about: string
            message: string
          }
          if (alert.code === 'task_poisoned') found.resolve(alert)
        }
      }
      // The gateway may be among what dies.
      const following = (async () => {
        for (; !stop.signal.aborted; await new Promise((resolve) => setTimeout(resolve, 200)))
          await follow().catch(() => {})
      })()
      const { severity, about, message } = await found.promise
      stop.abort()
      await following
      assert.deepEqual([severity, about], ['critical', 'a task of feed-killer that kills hosts'])
      assert.ok(message.startsWith(`3 hosts died while they ran ${id};`), message)
    })
  })
}

const env = { TROUPE_AGENTS: join(import.meta.dirname, 'agents') }

toldBy('embedded', () => startInstallation({ env }))

const servers: TestServer[] = []
after(() => Promise.all(servers.map((server) => server.stop())))
toldBy(
  'over NATS',
  async () => {
    const [postgres, nats] = await Promise.all([startPostgres(), startNats()])
    servers.push(postgres, nats)
    return await startInstallation({ args: ['--postgres', postgres.url, '--nats', nats.url, '--hosts', '1'], env })
  },
  missing('postgres') || missing('nats'),
)
