// ctx.llm in an isolated plug-in: a model like any other, whose key, retries, budget and span are the host's.
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { type Installation, runTroupe, startInstallation, temporaryFolder } from '../boot/installation.ts'
import { type Collector, startCollector } from '../telemetry/support/collector.ts'
import { foundInMemory } from './memory.ts'
import { writePlugin } from './plugins.ts'

const KEY = 'sk-Rosenkohl-8812-Zeppelin'
const MARK = 'Kaiserschmarrn-4711'

const CHATTY = `
const model = (ctx: any, options?: any) => ctx.llm.chat(options)

export default [
  agent('says', (ctx) => ctx.step('s', async (step: any) => {
    const chat = await model(step, { temperature: 0, maxTokens: 50 })
    const answer = await chat.invoke([['system', 'Be brief.'], ['human', ctx.input.text]])
    return { text: answer.text, usage: answer.usage_metadata, configured: step.llm.configured }
  })),
  agent('streams', (ctx) => ctx.step('s', async (step: any) => {
    const texts: string[] = []
    for await (const chunk of await (await model(step)).stream('stream')) {
      if (chunk.text !== '') { texts.push(chunk.text); step.token(chunk.text) }
    }
    return texts
  })),
  agent('uses-tools', (ctx) => ctx.step('s', async (step: any) => {
    const tool = { name: 'add', description: 'Adds', schema: z.object({ a: z.number(), b: z.number() }) }
    const answer = await (await model(step)).bindTools([tool]).invoke('tool')
    return answer.tool_calls
  })),
  agent('stops', (ctx) => ctx.step('s', async (step: any) => (await model(step)).invoke('hang'), { timeout: 500 })),
  agent('spends', (ctx) => ctx.step('s', async (step: any) => {
    const chat = await model(step)
    const outcomes: string[] = []
    for (let n = 0; n < 5; n++) {
      // A plug-in that hides what it has spent: the host counts for itself.
      await chat.invoke('hello').then(() => outcomes.push('answered'), (error: any) => outcomes.push(error.code))
    }
    return outcomes
  })),
]
`

type Answer = (body: { messages: { content: string }[] }, response: ServerResponse, call: number) => void

const completion = (message: object) => ({
  id: 'chat-1',
  object: 'chat.completion',
  model: 'fake',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
})

/** The last word of the conversation says what the endpoint does. */
const ANSWERS: Record<string, Answer> = {
  stream(_body, response) {
    response.setHeader('content-type', 'text/event-stream')
    const piece = (choices: object[], more = {}) =>
      response.write(
        `data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', model: 'fake', choices, ...more })}\n\n`,
      )
    for (const content of ['one ', 'two ', 'three']) piece([{ index: 0, delta: { role: 'assistant', content } }])
    piece([], { usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 } })
    response.end('data: [DONE]\n\n')
  },
  tool(_body, response) {
    const call = { id: 'call-1', type: 'function', function: { name: 'add', arguments: '{"a":1,"b":2}' } }
    response.end(JSON.stringify(completion({ content: null, tool_calls: [call] })))
  },
  refuse(_body, response) {
    response.writeHead(401).end(JSON.stringify({ error: { message: `The key ${KEY} is not known.` } }))
  },
  busy(_body, response, call) {
    if (call > 1) response.end(JSON.stringify(completion({ content: 'at last' })))
    else response.writeHead(429, { 'retry-after': '0' }).end('{"error":{"message":"slow down"}}')
  },
  hang() {},
}

async function startEndpoint() {
  const calls = new Map<string, number>()
  const keys = new Set<string | undefined>()
  const bodies: { messages: { role: string; content: string }[]; tools?: unknown; max_tokens?: number }[] = []
  const dropped = Promise.withResolvers<void>()
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const body = (await json(request)) as (typeof bodies)[number]
    bodies.push(body)
    keys.add(request.headers.authorization)
    const word = body.messages.at(-1)!.content
    calls.set(word, (calls.get(word) ?? 0) + 1)
    response.setHeader('content-type', 'application/json')
    if (word === 'hang') response.once('close', dropped.resolve)
    const answer = ANSWERS[word]
    if (answer !== undefined) answer(body, response, calls.get(word)!)
    else response.end(JSON.stringify(completion({ content: `You said ${word}` })))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    keys,
    bodies,
    dropped: dropped.promise,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

describe('the LLM of an isolated plug-in', () => {
  const data = temporaryFolder()
  const packages = temporaryFolder()
  let endpoint: Awaited<ReturnType<typeof startEndpoint>>
  let collector: Collector
  let troupe: Installation

  const start = async (agent: string, input: unknown, more = {}): Promise<string> =>
    (await troupe.call('POST', '/v1/tasks', { agent, input, ...more })).id
  async function run(agent: string, input: unknown = {}, more = {}) {
    const id = await start(agent, input, more)
    for (const since = Date.now(); ; ) {
      const task = await troupe.call('GET', `/v1/tasks/${id}`)
      if (task.endedAt !== undefined) return task
      assert.ok(Date.now() - since < 60_000, `${id} is ${task.state}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  before(async () => {
    ;[endpoint, collector] = await Promise.all([startEndpoint(), startCollector()])
    const may = writePlugin(packages, 'chatty', CHATTY, { troupe: { permissions: { llm: true } } })
    const mayNot = writePlugin(packages, 'silent', CHATTY.replaceAll(/agent\('/g, "agent('un-"))
    for (const folder of [may, mayNot]) {
      const added = await runTroupe(['--data', data, 'plugin', 'add', folder])
      assert.equal(added.code, 0, added.err)
      assert.equal(/with the LLM/.test(added.err), folder === may, added.err)
    }
    troupe = await startInstallation({
      data,
      env: {
        TROUPE_LLM_BASE_URL: endpoint.url,
        TROUPE_LLM_MODEL: 'fake',
        TROUPE_LLM_API_KEY: KEY,
        TROUPE_LLM_PRICE_INPUT: '2',
        TROUPE_LLM_PRICE_OUTPUT: '10',
        TROUPE_OTLP_URL: collector.url,
        OTEL_BSP_SCHEDULE_DELAY: '50',
      },
    })
  })
  after(async () => {
    const code = await troupe?.stop()
    endpoint?.stop()
    await collector?.stop()
    assert.equal(code, 0)
  })

  test('answers; tokens and cost are on the task, the key came from the host', async () => {
    const task = await run('says', { text: MARK })
    assert.equal(task.state, 'completed', JSON.stringify(task.error))
    assert.equal(task.output.text, `You said ${MARK}`)
    assert.equal(task.output.configured, true)
    assert.equal(task.output.usage.output_tokens, 20)
    assert.deepEqual(task.usage, { inputTokens: 100, outputTokens: 20, costMicros: 400 })
    assert.deepEqual([...endpoint.keys], [`Bearer ${KEY}`])
    const asked = endpoint.bodies.find(({ messages }) => messages.at(-1)?.content === MARK)!
    assert.deepEqual(
      asked.messages.map(({ role }) => role),
      ['system', 'user'],
    )
    assert.equal(asked.max_tokens, 50)
  })

  test('its key is nowhere in the memory, environment or arguments of the process', async (t) => {
    const { children } = (await troupe.child('core')) as unknown as {
      children: { id: string; facts: { pid: number } }[]
    }
    const { pid } = children.find(({ id }) => id === 'chatty')!.facts
    const found = foundInMemory(pid, [MARK, KEY])
    if (found === undefined) return t.skip('this machine does not show the memory of a process')
    // That the mark of the test before is found shows that the look is one.
    assert.deepEqual([...found], [MARK])
    const core = foundInMemory((await troupe.child('core')).facts.pid, [KEY])
    assert.deepEqual([...core!], [KEY])
  })

  test('streams: tokens arrive in pieces and are told to who follows the task', async () => {
    const task = await run('streams')
    assert.deepEqual(task.output, ['one ', 'two ', 'three'], JSON.stringify(task.error))
    assert.deepEqual(task.usage, { inputTokens: 5, outputTokens: 3, costMicros: 40 })
    const { events } = await troupe.call('GET', `/v1/tasks/${task.id}/events`)
    const told = events.filter(({ type }: { type: string }) => type === 'tokens')
    assert.ok(told.length > 0, JSON.stringify(events))
  })

  test('may be offered tools', async () => {
    const task = await run('uses-tools')
    assert.equal(task.output?.[0]?.name, 'add', JSON.stringify(task.error))
    assert.deepEqual(task.output[0].args, { a: 1, b: 2 })
    assert.ok(endpoint.bodies.some(({ tools }) => JSON.stringify(tools ?? '').includes('"add"')))
  })

  test('is tried again by the host when the endpoint is busy', async () => {
    const task = await run('says', { text: 'busy' })
    assert.equal(task.output?.text, 'at last', JSON.stringify(task.error))
    assert.equal(endpoint.calls.get('busy'), 2)
  })

  test('that refuses and quotes the key fails the task without the key', async () => {
    const task = await run('says', { text: 'refuse' })
    assert.equal(task.state, 'failed')
    assert.match(JSON.stringify(task.error), /The key \*\*\* is not known/)
    assert.ok(!JSON.stringify(task).includes(KEY))
  })

  test('that never answers is given up with the step, at the endpoint too', async () => {
    const task = await run('stops')
    assert.equal(task.state, 'failed')
    await endpoint.dropped
  })

  test('stops at the task’s budget, by the host’s own count', async () => {
    const task = await run('spends', {}, { budget: { tokens: 300 } })
    const asked = endpoint.calls.get('hello')!
    assert.equal(asked, 3, JSON.stringify(task))
    const refused = Array(3).fill('budget_exceeded')
    assert.deepEqual(task.output, ['answered', 'answered', ...refused], JSON.stringify(task.error))
    assert.deepEqual(task.usage, { inputTokens: 300, outputTokens: 60, costMicros: 1_200 })
  })

  test('is refused to a plug-in that does not declare it, with the line to add', async () => {
    const task = await run('un-says', { text: 'hello there' })
    assert.equal(task.state, 'failed')
    assert.match(JSON.stringify(task.error), /permission_denied.*\\"llm\\": true/)
    assert.equal(endpoint.calls.get('hello there'), undefined)
  })

  test('is a span of the task’s trace', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const response = await fetch(`${troupe.url}/v1/tasks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${troupe.key}`, 'content-type': 'application/json', traceparent },
      body: JSON.stringify({ agent: 'says', input: { text: 'traced' } }),
    })
    assert.equal(response.status, 202)
    const ours = (span: { name: string; traceId: string }) =>
      span.name === 'chat fake' && span.traceId === '0af7651916cd43dd8448eb211c80319c'
    await collector.until('the chat and the span above it', (spans) => {
      const above = spans.find(ours)?.parentId
      return spans.some(({ spanId }) => spanId === above)
    })
    const chat = collector.spans.find(ours)!
    assert.equal(chat.attributes['gen_ai.usage.output_tokens'], 20)
    for (const { name, attributes } of collector.spans)
      assert.ok(!`${name} ${JSON.stringify(attributes)}`.includes(KEY))
  })
})
