// One that reads a document, and one that always crashes: what the platform's event streams tell of both is tested. And one
// that waits until it is told to go on.
import { z } from 'zod'
import { defineAgent } from '../../../src/sdk/index.ts'

const reader = defineAgent({
  name: 'feed-reader',
  version: '1.0.0',
  description: 'Counts the bytes of a document',
  input: z.object({ document: z.string() }),
  output: z.object({ bytes: z.number() }),
  run: async ({ input, step }) => ({
    bytes: await step('read', async (ctx) => (await ctx.documents.read(input.document)).byteLength),
  }),
})

const crasher = defineAgent({
  name: 'feed-crasher',
  version: '1.0.0',
  description: 'Crashes',
  input: z.object({}),
  output: z.object({}),
  restarts: { max: 0, within: '1m' },
  run: async () => {
    throw new Error('It always does.')
  },
})

const waiter = defineAgent({
  name: 'waiter',
  version: '1.0.0',
  description: 'Waits',
  input: z.object({}),
  output: z.object({}),
  run: async ({ wait }) => {
    await wait('word', 'go')
    return {}
  },
})

const sleeper = defineAgent({
  name: 'feed-sleeper',
  version: '1.0.0',
  description: 'Has a step that takes a minute, whoever stops it',
  input: z.object({}),
  output: z.object({}),
  run: async ({ step }) => {
    await step('sleep', async () => await new Promise((resolve) => setTimeout(resolve, 60_000)))
    return {}
  },
})

const killer = defineAgent({
  name: 'feed-killer',
  version: '1.0.0',
  description: 'Ends the process that runs it',
  input: z.object({}),
  output: z.object({}),
  run: async ({ step }) => {
    await step('kill', async () => {
      // Its submission shall have been answered: embedded, the gateway dies as well.
      await new Promise((resolve) => setTimeout(resolve, 300))
      process.kill(process.pid, 'SIGKILL')
    })
    return {}
  },
})

export default [reader, crasher, waiter, sleeper, killer]
