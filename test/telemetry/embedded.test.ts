// One task, one trace, in an embedded installation: what a collector is sent of an intake with all four agents.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Installation, startInstallation } from '../boot/installation.ts'
import { type Collector, draw, startCollector } from './support/collector.ts'
import {
  assertConnected,
  assertTellsNoSecret,
  assertTellsTheIntake,
  isWhole,
  runIntake,
  SECRET,
  startLlm,
  tracingEnvironment,
} from './support/journey.ts'

let collector: Collector
let llm: Awaited<ReturnType<typeof startLlm>>
let troupe: Installation

before(async () => {
  ;[collector, llm] = await Promise.all([startCollector(), startLlm()])
  troupe = await startInstallation({ env: tracingEnvironment(collector, llm) })
})
after(async () => {
  const code = await troupe?.stop()
  await Promise.all([collector?.stop(), llm?.stop()])
  assert.equal(code, 0)
})

test('an intake is one connected tree from the client’s span to the workers’', { timeout: 240_000 }, async () => {
  const task = await runIntake(troupe)
  assert.equal(task.state, 'completed', JSON.stringify(task.output))
  await collector.until('the whole trace', isWhole)
  assertConnected(collector.spans)
  assertTellsTheIntake(collector.spans, 'sqlite')
  assertTellsNoSecret(collector.spans, [SECRET, troupe.key])
})

test('a step and a task that fail are errors with their code, and nothing of what they were given', {
  timeout: 240_000,
}, async () => {
  collector.spans.length = 0
  const dataset = { documentId: 'doc_01m7y9453vcs3f2y8pgp1r7nj3' }
  const { id, ...refused } = await troupe.call('POST', '/v1/tasks', { agent: 'quality-assurance', input: { dataset } })
  assert.ok(id !== undefined, JSON.stringify(refused))
  await collector.until('a failed task', (spans) =>
    spans.some(({ name, failed }) => failed && name.startsWith('invoke_agent')),
  )
  const failed = collector.spans.filter(({ failed }) => failed)
  assert.ok(failed.some(({ name }) => name.startsWith('step ')))
  for (const { attributes, statusMessage } of failed) {
    assert.equal(attributes['error.type'], 'not_found', draw(collector.spans))
    assert.equal(statusMessage, '')
  }
})

test('what was sent is counted, and what waits', { timeout: 180_000 }, async () => {
  const metrics = await (await fetch(`${troupe.url}/metrics`)).text()
  assert.match(metrics, /^troupe_trace_spans_total\{outcome="sent"\} [1-9]/m)
  assert.match(metrics, /^troupe_trace_spans_total\{outcome="dropped"\} 0$/m)
  assert.match(metrics, /^troupe_trace_waiting_bytes \d+$/m)
})
