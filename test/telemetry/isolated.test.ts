// The trace of a task of an isolated plug-in: its host makes the spans of its steps, its tools and what they use.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Installation, runTroupe, startInstallation, temporaryFolder } from '../boot/installation.ts'
import { writePlugin } from '../isolation/plugins.ts'
import { type Collector, draw, type Span, startCollector } from './support/collector.ts'
import { assertConnected, CLIENT_SPAN, CLIENT_TRACE, missingParents } from './support/journey.ts'

const CODE = `
const double = defineTool({
  name: 'double', description: 'Doubles', input: z.any(), output: z.any(), run: async (n: any) => 2 * n,
})

export default agent('traveller', async (ctx) => {
  await ctx.step('compute', (step: any) => step.tool(double, 21))
  await ctx.step('feel', async (step: any) => (await step.inference.embed('embedder', ['Hello Ada'])).length)
  const asked = await ctx.ask('ask', 'document-analyzer', { document: { text: 'Ada met Charles in London.' } })
  await ctx.step('stumble', () => { throw new Error('over a stone') })
  return asked
})
`
const permissions = { tools: ['double'], services: ['inference'], agents: ['document-analyzer'] }

let collector: Collector
let troupe: Installation

before(async () => {
  const data = temporaryFolder()
  const plugin = writePlugin(temporaryFolder(), 'traveller', CODE, { troupe: { permissions } })
  const added = await runTroupe(['--data', data, 'plugin', 'add', plugin])
  assert.equal(added.code, 0, added.err)
  collector = await startCollector()
  troupe = await startInstallation({ data, env: { TROUPE_OTLP_URL: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50' } })
})
after(async () => {
  await troupe?.stop()
  await collector?.stop()
})

const isWhole = (spans: Span[]) =>
  spans.some(
    ({ name, attributes }) => name === 'invoke_agent traveller' && attributes['troupe.task.state'] === 'failed',
  ) && missingParents(spans).length === 0

test('steps, tools, calls of workers and asked agents are one connected tree', { timeout: 240_000 }, async () => {
  const submitted = await fetch(`${troupe.url}/v1/tasks`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${troupe.key}`,
      'content-type': 'application/json',
      traceparent: `00-${CLIENT_TRACE}-${CLIENT_SPAN}-01`,
    },
    body: JSON.stringify({ agent: 'traveller', input: {} }),
  })
  assert.equal(submitted.status, 202)
  await collector.until('the whole trace', isWhole)
  const { spans } = collector
  assertConnected(spans)
  const named = (name: string) => {
    const found = spans.find((span) => span.name === name)
    assert.ok(found !== undefined, `${name} is missing in\n${draw(spans)}`)
    return found
  }
  const parentOf = (name: string) => spans.find(({ spanId }) => spanId === named(name).parentId)?.name
  assert.equal(parentOf('step compute'), 'invoke_agent traveller')
  assert.equal(parentOf('execute_tool double'), 'step compute')
  assert.equal(parentOf('embeddings embedder'), 'step feel')
  assert.equal(parentOf('invoke_agent document-analyzer'), 'invoke_agent traveller')
  const stumbled = named('step stumble')
  assert.deepEqual([stumbled.failed, stumbled.statusMessage], [true, ''])
})

test('its tasks and steps are counted by its host, as those that run there', async () => {
  const metrics = await (await fetch(`${troupe.url}/metrics`)).text()
  assert.match(metrics, /^troupe_tasks_started_total\{agent="traveller"\} 1$/m)
  assert.match(metrics, /^troupe_tasks_ended_total\{agent="traveller",state="failed",code="\w+"\} 1$/m)
  assert.match(metrics, /^troupe_step_duration_seconds_count\{agent="traveller",outcome="ok"\} [1-9]/m)
})
