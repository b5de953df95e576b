import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { asLlmTool, defineTool } from '../../src/sdk/index.ts'

const add = defineTool({
  name: 'add',
  description: 'Adds two numbers',
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.object({ sum: z.number() }),
  limits: { time: 30 },
  run: async ({ a, b }) => (a < 0 ? await new Promise<never>(() => {}) : { sum: a + b }),
})
const signal = new AbortController().signal

test('a tool checks its input and names the field', async () => {
  await assert.rejects(add.call({ a: 1, b: 'two' }, { signal }), { code: 'invalid_input', message: /add: .*b/s })
})

test('a tool that runs longer than its limit is given up', async () => {
  await assert.rejects(add.call({ a: -1, b: 2 }, { signal }), { code: 'limit_exceeded' })
})

test('a tool that is aborted ends with the reason', async () => {
  const controller = new AbortController()
  const call = add.call({ a: -1, b: 2 }, { signal: controller.signal })
  controller.abort(new Error('the step was stopped'))
  await assert.rejects(call, /the step was stopped/)
})

test('an LLM gets the same tool: name, schema, result', async () => {
  const tool = await asLlmTool(add, { tool: (wanted, input) => wanted.call(input, { signal }) })
  assert.equal(tool.name, 'add')
  assert.equal(await tool.invoke({ a: 1, b: 2 }), '{"sum":3}')
  await assert.rejects(tool.invoke({ a: 'one', b: 2 } as never))
})
