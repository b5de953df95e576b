// The console's calculations: how bars lie, which form a schema makes, what a stream says, words.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { familyOf } from '../../web/family.js'
import { exampleOf, fieldsOf, jsonOf } from '../../web/fields.js'
import { createReader } from '../../web/server-sent.js'
import type { TaskView } from '../../web/views.ts'
import { layOut, ticksOf } from '../../web/waterfall.js'
import { age, cost, count, duration, inWords, took } from '../../web/words.js'

test('a bar begins where its span began and is as long as it took, below its parent', () => {
  const { ms, rows } = layOut(
    [
      { id: 'root', name: 'task', startedAt: 1_000, endedAt: 2_000 },
      { id: 'late', parent: 'root', name: 'late', startedAt: 1_500, endedAt: 2_000 },
      { id: 'early', parent: 'root', name: 'early', startedAt: 1_000, endedAt: 1_250 },
      { id: 'inner', parent: 'early', name: 'inner', startedAt: 1_100, endedAt: 1_200 },
    ],
    9_999,
  )
  assert.equal(ms, 1_000)
  assert.deepEqual(
    rows.map(({ span, depth, from, width }) => [span.id, depth, from, width]),
    [
      ['root', 0, 0, 100],
      ['early', 1, 0, 25],
      ['inner', 2, 10, 10],
      ['late', 1, 50, 50],
    ],
  )
})

test('a span that has not ended reaches to now; one whose parent is unknown stands at the top', () => {
  const spans = [{ id: 'open', parent: 'gone', name: 'open', startedAt: 1_000 }]
  const [row] = layOut(spans, 3_000).rows
  assert.deepEqual([row?.depth, row?.ms, row?.open, row?.width], [0, 2_000, true, 100])
})

test('whatever the spans, each is drawn at most once, within the lane', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const time = fc.integer({ min: 0, max: 10_000 })
  const span = fc.record(
    { id, parent: id, name: id, startedAt: time, endedAt: time },
    { requiredKeys: ['id', 'name', 'startedAt'] },
  )
  fc.assert(
    fc.property(fc.array(span, { maxLength: 8 }), time, (spans, now) => {
      const { rows } = layOut(spans, now)
      assert.equal(new Set(rows.map((row) => row.span.id)).size, rows.length)
      for (const { from, width } of rows) assert.ok(from >= 0 && from <= 100 && width > 0 && width <= 100)
    }),
  )
})

test('the moments of the axis are round and at most five', () => {
  assert.deepEqual(
    ticksOf(2_600).map(({ at }) => at),
    [0, 1_000, 2_000],
  )
  for (const ms of [1, 7, 23, 999, 60_000, 3_600_000]) {
    const ticks = ticksOf(ms)
    assert.ok(ticks.length >= 2 && ticks.length <= 5, `${ms}: ${ticks.length}`)
  }
  assert.deepEqual(ticksOf(0), [])
})

test('children are read until there is no room, and what was not read is marked', async () => {
  const task = (id: string) => ({ id }) as TaskView
  const below: Record<string, string[]> = { root: ['b', 'a'], a: ['c'], b: [], c: ['d'] }
  const asked: string[] = []
  const list = async (parent: string) => {
    asked.push(parent)
    return { tasks: (below[parent] ?? []).map(task) }
  }
  const whole = await familyOf('root', list, 10)
  assert.deepEqual(
    whole.children.map(({ task: { id }, children }) => [id, children.map((one) => one.task.id)]),
    [
      ['a', ['c']],
      ['b', []],
    ],
  )
  asked.length = 0
  const part = await familyOf('root', list, 2)
  assert.deepEqual(asked, ['root'])
  assert.deepEqual(
    part.children.map(({ more }) => more),
    [true, true],
  )
})

test('an object of plain values makes fields, and what is put into them makes its JSON', () => {
  const fields = fieldsOf({
    type: 'object',
    required: ['accept', 'file'],
    properties: {
      accept: { type: 'boolean' },
      file: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      by: { type: 'string', default: 'somebody', description: 'Who' },
      level: { enum: ['low', 'high'] },
    },
  })
  assert.deepEqual(fields, [
    { name: 'accept', kind: 'yes or no', required: true },
    { name: 'file', kind: 'whole', required: true, least: 0 },
    { name: 'by', kind: 'text', required: false, words: 'Who', preset: 'somebody' },
    { name: 'level', kind: 'choice', required: false, choices: ['low', 'high'] },
  ])
  const given: Record<string, string> = { accept: 'no', file: '2', by: '', level: '' }
  assert.deepEqual(
    jsonOf(fields!, (name) => given[name]!),
    { accept: false, file: 2 },
  )
})

test('what is more than plain values is written as JSON, beginning with what is demanded', () => {
  const nested = {
    type: 'object',
    properties: { list: { type: 'array', items: { type: 'string' } } },
    required: ['list'],
  }
  assert.equal(fieldsOf(nested), undefined)
  assert.equal(fieldsOf(undefined), undefined)
  assert.deepEqual(exampleOf(nested), { list: [''] })
  assert.deepEqual(exampleOf({ anyOf: [{ const: 'a' }, { type: 'null' }] }), 'a')
})

test('a stream cut anywhere says the same', () => {
  const stream =
    'retry: 1000\n\n: still here\n\nid: 7\nevent: progress\ndata: {"a":1}\n\nevent: draining\r\ndata: {}\r\n\r\nid: 8\nda'
  const whole = createReader()(stream)
  assert.deepEqual(whole, [
    { id: '7', event: 'progress', data: '{"a":1}' },
    { id: undefined, event: 'draining', data: '{}' },
  ])
  for (let cut = 0; cut < stream.length; cut++) {
    const read = createReader()
    assert.deepEqual([...read(stream.slice(0, cut)), ...read(stream.slice(cut))], whole, `cut at ${cut}`)
  }
})

test('times, sums and costs in words', () => {
  const durations = [0, 999, 2_240, 9_960, 61_000, 3_600_000, 90_000_000].map(duration)
  assert.deepEqual(durations, ['0 ms', '999 ms', '2.2 s', '9 s', '1 min 1 s', '1 h', '1 d 1 h'])
  const at = '2026-11-21T12:00:00.000Z'
  assert.deepEqual(
    [500, 5_000, 120_000, 7_200_000, 500_000_000].map((ms) => age(at, Date.parse(at) + ms)),
    ['now', '5 s ago', '2 min ago', '2 h ago', '5 d ago'],
  )
  assert.equal(took({ createdAt: at, endedAt: '2026-11-21T12:00:01.500Z' }, 0), '1.5 s')
  assert.equal(count(1_234_567), '1,234,567')
  assert.deepEqual([0, 1_200, 2_500_000].map(cost), ['0', '0.001200', '2.50'])
})

test('an event in words; one that nobody foresaw is told by its name', () => {
  const event = (more: Record<string, unknown>) => ({ task: 't', number: 1, at: '', type: '', ...more })
  assert.equal(inWords(event({ type: 'state.entered', state: { reading: { page: {} } } })), 'state reading.page')
  assert.equal(inWords(event({ type: 'step.completed', step: '0.reader.open', ms: 30 })), 'step open done in 30 ms')
  assert.equal(inWords(event({ type: 'progress', fraction: 0.5, message: 'half' })), 'progress 50 % half')
  assert.equal(inWords(event({ type: 'task.moon_landed', reason: 'why not' })), 'task moon landed why not')
})
