// A document intake with all four agents over real HTTP, as a client with a trace of its own submits it, and what must
// hold for the trace that a collector was sent.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Installation, ROOT } from '../../boot/installation.ts'
import { type Collector, draw, type Span } from './collector.ts'

export const CLIENT_TRACE = '0af7651916cd43dd8448eb211c80319c'
export const CLIENT_SPAN = 'b7ad6b7169203331'
/** Must be nowhere in a trace: it stands in the document, in the LLM's answer and is its key. */
export const SECRET = 'Xylophonwerkstatt4711'

const TEXT = `Minutes of the meeting of 3 March 2025 in the ${SECRET}.
Present were Ada Lovelace and Charles Babbage. The board approved the budget of 1,200 EUR for the new engine.
The engine will be built in London and shall be finished in May 2026. The next meeting is on 7 April 2025.`

/** An OpenAI-compatible endpoint; it says what the document says, so its summary stands. */
export async function startLlm(): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const text = `The board approved the budget of 1,200 EUR for the new engine.`
      response.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          id: 'chatcmpl-1',
          object: 'chat.completion',
          model: 'fake-1.0',
          choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
        }),
      )
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** What the processes under test are told. */
export function tracingEnvironment(collector: Collector, llm: { url: string }): Record<string, string> {
  return {
    TROUPE_OTLP_URL: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    TROUPE_LLM_BASE_URL: llm.url,
    TROUPE_LLM_MODEL: 'fake',
    TROUPE_LLM_API_KEY: SECRET,
  }
}

/** Submits, decides what a person must decide, and resolves with the ended task. */
export async function runIntake(troupe: Installation): Promise<{ id: string; state: string; output: unknown }> {
  const table = readFileSync(join(ROOT, 'examples', 'samples', 'sales.csv'), 'utf8')
  const files = [
    { text: TEXT, name: 'minutes.txt' },
    { text: table, name: 'sales.csv' },
  ]
  const submitted = await fetch(`${troupe.url}/v1/tasks`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${troupe.key}`,
      'content-type': 'application/json',
      traceparent: `00-${CLIENT_TRACE}-${CLIENT_SPAN}-01`,
    },
    body: JSON.stringify({ agent: 'document-intake', input: { files, collection: 'minutes' } }),
  })
  assert.equal(submitted.status, 202)
  const { id } = (await submitted.json()) as { id: string }
  const { createClient } = await import('../../../src/cli/client.ts')
  for await (const event of createClient(troupe.url, troupe.key).follow(id, 0)) {
    if ((event as { type: string }).type !== 'task.waiting') continue
    const { waitingFor } = (await troupe.call('GET', `/v1/tasks/${id}`)) as { waitingFor?: { kind: string } }
    if (waitingFor?.kind !== 'person') continue
    for (const file of [0, 1]) {
      await troupe.call('POST', `/v1/tasks/${id}/messages`, { type: 'decide', file, accept: true, by: 'a test' })
    }
  }
  return await troupe.call('GET', `/v1/tasks/${id}`)
}

export const AGENTS = ['document-intake', 'document-analyzer', 'quality-assurance', 'business-intelligence']

/** All incarnations of the task have told, and everything that was begun below them. */
export function isWhole(spans: Span[]): boolean {
  const last = spans.filter(
    ({ name, attributes }) =>
      name === 'invoke_agent document-intake' && attributes['troupe.task.state'] === 'completed',
  )
  return last.length === 1 && missingParents(spans).length === 0
}

export function missingParents(spans: Span[]): Span[] {
  const known = new Set(spans.map(({ spanId }) => spanId))
  return spans.filter(({ parentId }) => parentId !== CLIENT_SPAN && (parentId === undefined || !known.has(parentId)))
}

/** One tree: every span in the client's trace, under a span that was told, beginning no earlier than that. */
export function assertConnected(spans: Span[]): void {
  assert.deepEqual(
    spans.filter(({ traceId }) => traceId !== CLIENT_TRACE).map(({ name }) => name),
    [],
    'all are in the client’s trace',
  )
  assert.deepEqual(
    missingParents(spans).map(({ name }) => name),
    [],
    `no parent is missing in\n${draw(spans)}`,
  )
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  assert.equal(byId.size, spans.length, 'no span id twice')
  assert.equal(spans.filter(({ parentId }) => parentId === CLIENT_SPAN).length, 1, 'one root')
  for (const span of spans) {
    assert.ok(span.end >= span.start, span.name)
    for (const { spanId, traceId } of span.links) {
      assert.equal(traceId, CLIENT_TRACE)
      assert.ok(byId.has(spanId), `${span.name} is linked to a span that was told`)
    }
    const parent = byId.get(span.parentId!)
    // One whose host lost it is told out of its log: that knows when its start was committed, not when it began.
    if (parent === undefined || parent.attributes['error.type'] === 'owner_lost') continue
    // Processes on one machine read one clock, each with its own fractions of a millisecond.
    assert.ok(
      span.start >= parent.start - 5_000_000n,
      `${span.name} begins in ${parent.name}, not ${parent.start - span.start} ns before it in\n${draw(spans)}`,
    )
  }
}

export function ancestors(spans: Span[], span: Span): Span[] {
  const byId = new Map(spans.map((one) => [one.spanId, one]))
  const found: Span[] = []
  for (let up = byId.get(span.parentId ?? ''); up !== undefined; up = byId.get(up.parentId ?? '')) found.push(up)
  return found
}

/** What every trace of an intake shows, wherever it ran. */
export function assertTellsTheIntake(spans: Span[], journal: string): void {
  const named = (name: string | RegExp) =>
    spans.filter((span) => (typeof name === 'string' ? span.name === name : name.test(span.name)))
  for (const agent of AGENTS) {
    const [first] = named(`invoke_agent ${agent}`)
    assert.ok(first !== undefined, `${agent} is in\n${draw(spans)}`)
    assert.equal(first.kind, 'CONSUMER')
    assert.equal(first.attributes['gen_ai.operation.name'], 'invoke_agent')
    assert.equal(first.attributes['gen_ai.agent.name'], agent)
    assert.match(String(first.attributes['gen_ai.agent.version']), /^\d+\.\d+\.\d+$/)
    if (agent !== 'document-intake') {
      assert.ok(
        ancestors(spans, first).some(({ name }) => name === 'invoke_agent document-intake'),
        `${agent} was asked`,
      )
    }
  }
  const [submission] = named('POST /v1/tasks')
  assert.equal(submission!.kind, 'SERVER')
  assert.equal(submission!.parentId, CLIENT_SPAN)

  const byTask = Map.groupBy(named(/^invoke_agent /), ({ attributes }) => attributes['troupe.task.id'])
  for (const incarnations of byTask.values()) {
    const [first, ...later] = incarnations.sort((left, right) => Number(left.start - right.start))
    assert.deepEqual(first!.links, [])
    for (const one of later) assert.deepEqual(one.links, [{ traceId: CLIENT_TRACE, spanId: first!.spanId }], one.name)
  }
  const intakes = named('invoke_agent document-intake')
  assert.ok(intakes.length >= 4, `it slept while its children ran, ${intakes.length} incarnations`)

  for (const name of [/^infer document-type$/, /^infer embedder$/, /^troupe\.retrieval\.v1\.Retrieval\//]) {
    const servers = named(name)
    assert.ok(servers.length > 0, `${name} is in\n${draw(spans)}`)
    for (const server of servers) {
      assert.equal(server.kind, 'SERVER')
      const above = ancestors(spans, server)
      assert.ok(
        above.some((one) => one.kind === 'CLIENT' && one.service !== server.service),
        'below the client’s call',
      )
      assert.ok(
        above.some((one) => one.name.startsWith('step ')),
        'which is below its step',
      )
    }
  }
  const commits = named('journal commit')
  assert.ok(commits.length > 10)
  for (const commit of commits) {
    assert.equal(commit.attributes['db.system.name'], journal)
    assert.match(ancestors(spans, commit)[0]!.name, /^invoke_agent /)
  }
  // On a machine without a second to spare a host may lose its lease, and its call is cut off and made again.
  const chat = named('chat fake').find(({ failed }) => !failed)
  assert.ok(chat !== undefined, `the LLM's answered call is in\n${draw(spans)}`)
  assert.equal(chat.kind, 'CLIENT')
  assert.deepEqual(
    [
      'operation.name',
      'provider.name',
      'request.model',
      'response.model',
      'response.id',
      'usage.input_tokens',
      'usage.output_tokens',
      'response.finish_reasons',
    ].map((name) => chat.attributes[`gen_ai.${name}`]),
    ['chat', 'openai', 'fake', 'fake-1.0', 'chatcmpl-1', 100, 20, ['stop']],
  )
  assert.match(ancestors(spans, chat)[0]!.name, /^step /)
  assert.ok(
    named(/^execute_tool /).every(
      (tool) => tool.attributes['gen_ai.tool.name'] === tool.name.slice('execute_tool '.length),
    ),
  )
}

export function assertTellsNoSecret(spans: Span[], secrets: string[]): void {
  const told = JSON.stringify(spans, (_, value) => (typeof value === 'bigint' ? String(value) : value))
  for (const secret of secrets) assert.ok(!told.includes(secret), 'no key and no content is in a trace')
  assert.ok(!told.includes('Lovelace'), 'nothing of a document is in a trace')
}
