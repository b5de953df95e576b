// A collector that is away, slow or refusing: work goes on as if nothing were, memory stays bounded, and the log is
// told once.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { startExport, startSpan } from '../../src/telemetry/index.ts'
import { startInstallation } from '../boot/installation.ts'
import { startCollector } from './support/collector.ts'

const LIMIT = 256 * 1024
/** What OpenTelemetry's own exporter would wait for. */
const STOPPED_MS = 10_000

async function collectorFor(t: TestContext, answer: Parameters<typeof startCollector>[0]) {
  const collector = await startCollector(answer)
  t.after(() => collector.stop())
  return collector
}

function tellMany(count: number): void {
  for (let index = 0; index < count; index++) startSpan('work', { attributes: { index, text: 'x'.repeat(100) } }).end()
}

test('one that never answers: so much waits and no more, and stopping does not wait for it', {
  timeout: 180_000,
}, async (t) => {
  const collector = await collectorFor(t, () => {})
  const told: string[] = []
  const exporting = await startExport({
    service: 'test',
    url: `${collector.url}/v1/traces`,
    delayMs: 5,
    maxWaitingBytes: LIMIT,
    onTrouble: (message) => told.push(message),
  })
  tellMany(20_000)
  await collector.until('a request that hangs', () => collector.requests.length > 0)
  tellMany(20_000)
  const { ended, dropped, waitingBytes } = exporting.counts()
  assert.equal(ended, 40_000)
  assert.ok(dropped > 35_000, `${dropped}`)
  assert.ok(waitingBytes < LIMIT + 1_024, `${waitingBytes}`)
  const begun = performance.now()
  await exporting.stop()
  assert.ok(performance.now() - begun < STOPPED_MS, 'a second is given, no more')
  const { sent, ...after } = exporting.counts()
  assert.equal(sent, 0)
  assert.equal(after.dropped, 40_000)
  assert.ok(told.length <= 1, told.join('\n'))
})

test('one that refuses: told once, its batches are dropped, and the next ones are tried', {
  timeout: 180_000,
}, async (t) => {
  const collector = await collectorFor(t, (response) => response.writeHead(400).end('no'))
  const told: string[] = []
  const exporting = await startExport({
    service: 'test',
    url: `${collector.url}/v1/traces`,
    delayMs: 5,
    onTrouble: (message) => told.push(message),
  })
  for (let batch = 1; batch <= 5; batch++) {
    tellMany(10)
    await collector.until('another request', () => collector.requests.length >= batch)
  }
  await exporting.stop()
  assert.equal(exporting.counts().dropped, 50)
  assert.deepEqual(
    told.map((line) => line.replace(/127.*: /, '')),
    ['Traces are not taken by the collector at it answered 400.'],
  )
})

test('one that is busy for a moment: the same batch is tried again and nothing is lost', {
  timeout: 180_000,
}, async (t) => {
  const collector = await collectorFor(t, (response, count) => {
    if (count < 3) response.writeHead(503, { 'retry-after': '0' }).end()
    else response.writeHead(200).end()
  })
  const told: string[] = []
  const exporting = await startExport({
    service: 'test',
    url: `${collector.url}/v1/traces`,
    delayMs: 5,
    onTrouble: (message) => told.push(message),
  })
  tellMany(100)
  await collector.until('three tries', () => collector.requests.length >= 3)
  await exporting.stop()
  assert.deepEqual(
    collector.requests.map(({ bytes }) => bytes),
    Array(3).fill(collector.requests[0]!.bytes),
  )
  assert.deepEqual({ ...exporting.counts() }, { ended: 100, sent: 100, dropped: 0, waitingBytes: 0 })
  assert.equal(told.length, 2)
  assert.match(told[1]!, /takes traces again; 0 spans were dropped/)
})

test('one that is not there: nobody notices but the log, and stopping is quick', { timeout: 180_000 }, async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => closed.once('listening', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  const telling = Promise.withResolvers<string>()
  const exporting = await startExport({
    service: 'test',
    url: `http://user:password@127.0.0.1:${port}/v1/traces`,
    delayMs: 5,
    onTrouble: telling.resolve,
  })
  tellMany(100)
  assert.match(await telling.promise, /ECONNREFUSED/)
  assert.doesNotMatch(await telling.promise, /password/)
  const begun = performance.now()
  await exporting.stop()
  assert.ok(performance.now() - begun < STOPPED_MS)
  assert.equal(exporting.counts().dropped, 100)
})

test('an installation whose collector hangs works as ever, and says so once a process', {
  timeout: 180_000,
}, async (t) => {
  const collector = await collectorFor(t, () => {})
  const env = { TROUPE_OTLP_URL: collector.url, OTEL_BSP_SCHEDULE_DELAY: '20', OTEL_EXPORTER_OTLP_TIMEOUT: '100' }
  const troupe = await startInstallation({ env })
  const text = 'The board of Harbour Ltd. met on 3 March 2025 and approved the budget of 1,200 EUR.'
  const input = { document: { text, name: 'minutes.txt' } }
  const results = await Promise.all(
    Array.from({ length: 5 }, () => troupe.call('POST', '/v1/tasks', { agent: 'document-analyzer', input })),
  )
  await collector.until('several requests that hang', () => collector.requests.length >= 3)
  for (const { id } of results) {
    const { out } = await troupe.troupe(['--json', 'tasks', 'follow', id])
    assert.match(out, /task\.completed/)
    const { spans } = await troupe.call('GET', `/v1/tasks/${id}/trace`)
    assert.ok(spans.length > 5, 'the waterfall comes from the log')
  }
  assert.equal(await troupe.stop(), 0)
  const complaints = troupe.said().match(/Traces are not taken/g) ?? []
  assert.ok(complaints.length >= 1 && complaints.length <= 3, `${complaints.length} of core and two workers`)
})
