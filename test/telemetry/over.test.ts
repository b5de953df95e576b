// Spans that are told when they are over: a collector sees no difference between them and spans that were open.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { observeIncarnations } from '../../src/boot/incarnation.ts'
import type { ActorCommit, TaskRow } from '../../src/journal/journal.ts'
import {
  derivedSpanId,
  describeSpans,
  type ExportOptions,
  startExport,
  startSpan,
  tellSpan,
  tellTogether,
} from '../../src/telemetry/index.ts'
import { type Span, startCollector } from './support/collector.ts'

const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

async function exported(work: () => unknown, options: Partial<ExportOptions> = {}): Promise<Span[]> {
  const collector = await startCollector()
  const exporting = await startExport({ service: 'test', url: `${collector.url}/v1/traces`, ...options })
  await work()
  await exporting.stop()
  await collector.stop()
  return collector.spans
}

test('what its description says and what it says itself arrive as one', async () => {
  const description = describeSpans('invoke_agent reader', 'consumer', { agent: 'reader', tenant: 'ä', pages: 3 })
  const at = Date.parse('2026-03-01T12:00:00.250Z')
  const [told, next] = await exported(() => {
    tellSpan(description, {
      parent: CALLER,
      story: 'task_1#4',
      linked: '00f067aa0ba902b8',
      startedAt: at,
      endedAt: at + 1.5,
      attributes: { task: 'task_1', ms: 0.25 },
      error: Object.assign(new Error('the secret is 4711'), { code: 'owner_lost' }),
    })
    startSpan('after it', { parent: CALLER }).end()
  })
  assert.equal(told!.name, 'invoke_agent reader')
  assert.equal(told!.kind, 'CONSUMER')
  assert.equal(told!.traceId, CALLER.slice(3, 35))
  assert.equal(told!.spanId, derivedSpanId('task_1#4'))
  assert.equal(told!.parentId, CALLER.slice(36, 52))
  assert.deepEqual(told!.links, [{ traceId: CALLER.slice(3, 35), spanId: '00f067aa0ba902b8' }])
  assert.equal(told!.start, BigInt(at) * 1_000_000n)
  assert.equal(told!.end - told!.start, 1_500_000n)
  const own = { task: 'task_1', ms: 0.25, 'error.type': 'owner_lost' }
  assert.deepEqual(told!.attributes, { agent: 'reader', tenant: 'ä', pages: 3, ...own })
  assert.equal(told!.failed, true)
  assert.deepEqual([next!.name, next!.kind, next!.attributes], ['after it', 'INTERNAL', {}])
})

test('the caller’s decision is followed', async () => {
  const description = describeSpans('x', 'consumer', {})
  const spans = await exported(() => {
    for (const parent of [CALLER, CALLER.replace(/01$/, '00')])
      tellSpan(description, { parent, story: 'task_1', startedAt: 1, endedAt: 2 })
  })
  assert.equal(spans.length, 1)
})

test('it arrives as the SDK’s own span of the same story does', async () => {
  const at = Date.parse('2026-03-01T12:00:00.250Z')
  const error = Object.assign(new Error('no'), { code: 'owner_lost' })
  const shared = { agent: 'reader', 'troupe.tenant': 'acme' }
  const own = { task: 'täsk', ms: 0.25, pages: 300, yes: true, list: ['a', 'b'] }
  const cases = [
    { parent: CALLER },
    { parent: CALLER, linked: '00f067aa0ba902b8' },
    { parent: CALLER, error },
    { parent: CALLER, linked: '00f067aa0ba902b8', error },
  ]
  for (const { error: failure, ...where } of cases) {
    const [made, told] = await exported(() => {
      const spanId = derivedSpanId('task_1')
      const attributes = { ...shared, ...own }
      const opened = startSpan('a task', { ...where, kind: 'consumer', spanId, startedAt: at, attributes })
      opened.end(failure, at + 1.5)
      const rest = { startedAt: at, endedAt: at + 1.5, attributes: own, error: failure }
      tellSpan(describeSpans('a task', 'consumer', shared), { ...where, ...rest, story: 'task_1' })
    })
    assert.deepEqual(told, made)
  }
})

test('the SDK’s sampler keeps the same traces of both', async () => {
  const description = describeSpans('told', 'consumer', {})
  const kept = async (one: (parent: string) => void) => {
    const spans = await exported(
      () => {
        for (let index = 0; index < 500; index++) {
          const traceId = derivedSpanId(`${index}`) + derivedSpanId(`low ${index}`)
          one(`00-${traceId}-b7ad6b7169203331-00`)
        }
      },
      { share: 0.25, followsParent: false },
    )
    return spans.map(({ traceId }) => traceId)
  }
  const told = await kept((parent) => tellSpan(description, { parent, story: 'x', startedAt: 1, endedAt: 2 }))
  assert.deepEqual(told, await kept((parent) => startSpan('made', { parent }).end()))
  assert.ok(told.length > 60 && told.length < 190, `${told.length} of 500`)
})

test('one without a parent begins a trace of its own, of which a share is kept', async () => {
  const description = describeSpans('told', 'consumer', {})
  const spans = await exported(
    () => {
      for (let index = 0; index < 2_000; index++)
        tellSpan(description, { story: `${index}`, linked: '00f067aa0ba902b8', startedAt: 1, endedAt: 2 })
    },
    { share: 0.25 },
  )
  assert.ok(spans.length > 400 && spans.length < 600, `${spans.length} of 2000`)
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, spans.length)
  for (const { parentId, links } of spans) assert.deepEqual([parentId, links], [undefined, []])
})

test('those that wait for their turn are told before the export ends, each once and in order', async () => {
  const spans = await exported(() => {
    for (let index = 0; index < 1_000; index++)
      tellTogether({ tell: () => startSpan('waiting', { attributes: { index } }).end() })
  })
  const expected = Array.from({ length: 1_000 }, (_, index) => index)
  assert.deepEqual(
    spans.map(({ attributes }) => attributes.index),
    expected,
  )
})

test('a task of one commit shows the same attributes as one of two', async () => {
  const observe = observeIncarnations({ journalSystem: 'sqlite', lastEvents: async () => [] })
  const live = (id: string, commits: number) => {
    const row = {
      id,
      tenant: 'acme',
      agent: 'noop',
      agentVersion: '1.2.3',
      ownerDeaths: 0,
      parent: { taskId: 'task_0' },
    }
    const observation = observe({ ...row, traceparent: CALLER } as unknown as TaskRow)
    for (let index = 1; index <= commits; index++) {
      const commit = { state: index === commits ? 'completed' : 'running', events: [] } as unknown as ActorCommit
      observation.around.committing(commit)
      observation.around.committed(commit, { applied: true } as never)
    }
    observation.ended({ kind: 'ended', crashed: false })
  }
  const spans = await exported(() => {
    live('task_1', 1)
    live('task_2', 2)
  })
  const of = (id: string) => spans.find(({ attributes }) => attributes['troupe.task.id'] === id)!
  const { 'troupe.commit.ms': ms, ...one } = of('task_1').attributes
  assert.equal(typeof ms, 'number')
  assert.deepEqual({ ...one, 'troupe.task.id': 'task_2' }, of('task_2').attributes)
  assert.equal(one['gen_ai.agent.id'], 'noop@1.2.3')
  assert.equal(one['troupe.task.state'], 'completed')
  assert.deepEqual([of('task_1').kind, of('task_1').name], [of('task_2').kind, of('task_2').name])
  assert.equal(spans.filter(({ name }) => name === 'journal commit').length, 2)
})
