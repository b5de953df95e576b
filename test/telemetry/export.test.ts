// What a collector is sent: bytes by the protocol, ids and times as they were, and which traces at all.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { context, trace } from '@opentelemetry/api'
import { type ExportOptions, span, startExport, startSpan } from '../../src/telemetry/index.ts'
import { type Span, startCollector } from './support/collector.ts'

const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** Runs work while spans are exported, and gives what came. */
async function exported(work: () => unknown, options: Partial<ExportOptions> = {}): Promise<Span[]> {
  const collector = await startCollector()
  const exporting = await startExport({ service: 'test', url: `${collector.url}/v1/traces`, ...options })
  await work()
  await exporting.stop()
  await collector.stop()
  return collector.spans
}

describe('an exported span', () => {
  test('arrives with name, kind, parent, times and every type of attribute', async () => {
    const before = BigInt(Date.now() - 1) * 1_000_000n
    const attributes = {
      text: 'naïve 漢字 🙂',
      long: 'x'.repeat(5_000),
      yes: true,
      whole: 300,
      negative: -7,
      large: 2 ** 45,
      part: 0.25,
      list: ['a', 'b'],
      empty: '',
    }
    const [only] = await exported(() => startSpan('a name', { kind: 'client', parent: CALLER, attributes }).end())
    assert.equal(only!.name, 'a name')
    assert.equal(only!.kind, 'CLIENT')
    assert.equal(only!.service, 'test')
    assert.equal(only!.traceId, CALLER.slice(3, 35))
    assert.equal(only!.parentId, CALLER.slice(36, 52))
    assert.match(only!.spanId, /^(?!0{16})[0-9a-f]{16}$/)
    assert.deepEqual(only!.attributes, attributes)
    assert.equal(only!.flags, 0x301)
    assert.ok(only!.start >= before && only!.end >= only!.start)
    assert.ok(only!.end <= BigInt(Date.now() + 1) * 1_000_000n)
  })

  test('carries events, links and the code of its error, and not the error’s words', async () => {
    const [only] = await exported(() => {
      const opened = startSpan('failing', { parent: CALLER, linked: '00f067aa0ba902b7' })
      opened.event('state.entered', { 'troupe.state': 'reading' })
      opened.end(new RangeError('the secret is 4711'))
    })
    assert.deepEqual(only!.events, [{ name: 'state.entered', attributes: { 'troupe.state': 'reading' } }])
    assert.deepEqual(only!.links, [{ traceId: CALLER.slice(3, 35), spanId: '00f067aa0ba902b7' }])
    assert.equal(only!.failed, true)
    assert.equal(only!.attributes['error.type'], 'RangeError')
    assert.ok(!JSON.stringify(only, (_, value) => (typeof value === 'bigint' ? '' : value)).includes('4711'))
  })

  test('is below the span that was active when it began, across awaits', async () => {
    const spans = await exported(() =>
      span('outer', {}, async () => {
        await new Promise((resolve) => setImmediate(resolve))
        await span('inner', {}, async () => {})
      }),
    )
    const [inner, outer] = spans
    assert.deepEqual([inner!.name, outer!.name], ['inner', 'outer'])
    assert.equal(inner!.parentId, outer!.spanId)
    assert.equal(inner!.traceId, outer!.traceId)
    assert.equal(outer!.parentId, undefined)
  })

  test('may also come from an agent’s own use of the OpenTelemetry API, in the same trace', async () => {
    const spans = await exported(() =>
      span('step', {}, () =>
        trace.getTracer('an agent').startActiveSpan('parse', async (own) => {
          own.setAttribute('rows', 3).addEvent('half').recordException(new Error('no'))
          trace.getTracer('a library').startSpan('query', {}, context.active()).end()
          own.end()
        }),
      ),
    )
    const named = (name: string) => spans.find((one) => one.name === name)!
    assert.equal(named('parse').parentId, named('step').spanId)
    assert.equal(named('query').parentId, named('parse').spanId)
    assert.deepEqual(
      named('parse').events.map(({ name }) => name),
      ['half', 'exception'],
    )
  })

  test('ten thousand of them arrive, each once', async () => {
    const collector = await startCollector()
    const exporting = await startExport({ service: 'test', url: `${collector.url}/v1/traces`, delayMs: 5 })
    for (let index = 0; index < 10_000; index++) startSpan('many', { attributes: { index } }).end()
    // Not by its end: that leaves a second for all of them.
    await collector.until('all of them', ({ length }) => length >= 10_000)
    await exporting.stop()
    await collector.stop()
    const { spans } = collector
    assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, 10_000)
    assert.deepEqual(
      spans.map(({ attributes }) => attributes.index),
      Array.from({ length: 10_000 }, (_, index) => index),
    )
  })

  test('is not changed by those that are written into the same memory later', async () => {
    const collector = await startCollector()
    const exporting = await startExport({ service: 'test', url: `${collector.url}/v1/traces`, delayMs: 5 })
    for (let wave = 1; wave <= 5; wave++) {
      for (let index = 0; index < 200; index++) startSpan(`${wave}`.repeat(wave * 100), { attributes: { index } }).end()
      await collector.until('the wave', (spans) => spans.length === wave * 200)
    }
    await exporting.stop()
    await collector.stop()
    const expected = [1, 2, 3, 4, 5].flatMap((wave) => Array(200).fill(`${wave}`.repeat(wave * 100)))
    assert.deepEqual(
      collector.spans.map(({ name }) => name),
      expected,
    )
  })

  test('is compressed on wish, with the headers that were set', async () => {
    const collector = await startCollector()
    const exporting = await startExport({
      service: 'test',
      url: `${collector.url}/v1/traces`,
      gzip: true,
      headers: { authorization: 'Basic x' },
    })
    startSpan('zipped', {}).end()
    await exporting.stop()
    await collector.stop()
    assert.deepEqual(
      collector.spans.map(({ name }) => name),
      ['zipped'],
    )
    assert.equal(collector.requests[0]!.headers.authorization, 'Basic x')
    assert.equal(collector.requests[0]!.headers['content-type'], 'application/x-protobuf')
  })
})

describe('which traces are kept', () => {
  const family = (parent?: string) =>
    span('parent', parent === undefined ? {} : { parent }, (traceparent) =>
      // As another process would continue it.
      span('child', { ...(traceparent === undefined ? {} : { parent: traceparent }) }, async () => {}),
    )

  test('a share of those that begin here, each whole or not at all', async () => {
    const spans = await exported(
      async () => {
        for (let index = 0; index < 2_000; index++) await family()
      },
      { share: 0.25 },
    )
    const traces = Map.groupBy(spans, ({ traceId }) => traceId)
    assert.ok(traces.size > 400 && traces.size < 600, `${traces.size} of 2000`)
    for (const members of traces.values()) assert.equal(members.length, 2)
  })

  test('the caller’s decision is followed: kept there, kept here; not there, not here', async () => {
    assert.equal((await exported(() => family(CALLER), { share: 0 })).length, 2)
    assert.equal((await exported(() => family(CALLER.replace(/01$/, '00')), { share: 1 })).length, 0)
  })

  test('unless the sampler is told not to follow it', async () => {
    assert.equal((await exported(() => family(CALLER), { share: 0, followsParent: false })).length, 0)
    assert.equal(
      (await exported(() => family(CALLER.replace(/01$/, '00')), { share: 1, followsParent: false })).length,
      2,
    )
  })

  test('a malformed traceparent begins a trace of its own', async () => {
    for (const wrong of ['', 'x', '00-zz', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) {
      const spans = await exported(() => family(wrong))
      assert.equal(spans.length, 2, wrong)
      assert.equal(spans.find(({ name }) => name === 'parent')!.parentId, undefined)
    }
  })
})
