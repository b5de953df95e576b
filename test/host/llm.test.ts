// The LLM by a fake endpoint that speaks the real protocol: answers, streams, 429, cut connections, junk.
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import { createLlm } from '../../src/host/llm.ts'
import { absentServices } from '../../src/host/services.ts'
import { defineAgent } from '../../src/sdk/index.ts'
import { runAgent } from '../../src/sdk/testing/index.ts'

type Answer = (request: IncomingMessage, response: ServerResponse, call: number) => void

async function endpoint(t: TestContext, answer: Answer) {
  let calls = 0
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => answer(request, response, ++calls))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, calls: () => calls }
}

const completion = (text: string) =>
  JSON.stringify({
    id: '1',
    object: 'chat.completion',
    model: 'fake',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
  })

const say: Answer = (_request, response) =>
  response.setHeader('content-type', 'application/json').end(completion('hello'))

const asker = (stream = false) =>
  defineAgent({
    name: 'asker',
    version: '1.0.0',
    description: 'Asks the LLM',
    input: z.object({}),
    output: z.string(),
    restarts: { max: 0, within: '1m' },
    run: (ctx) =>
      ctx.step(
        'ask',
        async ({ llm }) => {
          const chat = await llm.chat({ temperature: 0 })
          if (!stream) return (await chat.invoke('hi')).text
          let text = ''
          for await (const chunk of await chat.stream('hi')) text += chunk.text
          return text
        },
        { retries: 0 },
      ),
  })

function withEndpoint(url: string) {
  const make = createLlm({ baseUrl: url, model: 'fake', price: { input: 2, output: 10 }, timeout: 5_000 })
  return { ...absentServices, llm: make }
}

async function ask(url: string, stream = false) {
  return await runAgent(asker(stream), {}, { hostServices: withEndpoint(url) })
}

test('an answer comes back, and its tokens and cost are on the task', async (t) => {
  const { url } = await endpoint(t, say)
  const { task } = await ask(url)
  assert.equal(task.output, 'hello', JSON.stringify(task.error))
  assert.deepEqual(task.usage, { inputTokens: 100, outputTokens: 20, costMicros: 400 })
})

test('a stream is joined', async (t) => {
  const { url } = await endpoint(t, (_request, response) => {
    response.setHeader('content-type', 'text/event-stream')
    const chunk = (delta: object, more = {}) =>
      response.write(
        `data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', model: 'fake', choices: [{ index: 0, delta }], ...more })}\n\n`,
      )
    chunk({ role: 'assistant', content: 'hel' })
    chunk({ content: 'lo' })
    response.write(
      `data: ${JSON.stringify({ id: '1', object: 'chat.completion.chunk', model: 'fake', choices: [], usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } })}\n\n`,
    )
    response.end('data: [DONE]\n\n')
  })
  const { task } = await ask(url, true)
  assert.equal(task.output, 'hello', JSON.stringify(task.error))
  assert.equal(task.usage?.outputTokens, 2)
})

test('a 429 is tried again', async (t) => {
  const { url, calls } = await endpoint(t, (request, response, call) => {
    if (call > 1) return say(request, response, call)
    response
      .writeHead(429, { 'retry-after': '0', 'content-type': 'application/json' })
      .end('{"error":{"message":"slow down"}}')
  })
  assert.equal((await ask(url)).task.output, 'hello')
  assert.equal(calls(), 2)
})

test('a connection that is cut in the middle is tried again', async (t) => {
  const { url } = await endpoint(t, (request, response, call) => {
    if (call > 1) return say(request, response, call)
    response.socket?.destroy()
  })
  assert.equal((await ask(url)).task.output, 'hello')
})

test('junk fails the step, not the host', async (t) => {
  const { url } = await endpoint(t, (_request, response) =>
    response.setHeader('content-type', 'application/json').end('{"not":'),
  )
  assert.equal((await ask(url)).task.state, 'failed')
})

test('without an LLM the step fails as llm_not_configured', async () => {
  const { task } = await runAgent(asker(), {})
  assert.equal(task.error?.code, 'llm_not_configured')
})
