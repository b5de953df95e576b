// An agent that sleeps until it is told to wake: a task of it is a row, not memory.
import { setup } from 'xstate'
import { z } from 'zod'
import { defineAgent } from '../../src/sdk/index.ts'

const machine = setup({ types: { input: {} as { n: number }, context: {} as { n: number } } }).createMachine({
  id: 'sleeper',
  context: ({ input }) => ({ n: input.n }),
  initial: 'sleeping',
  output: ({ context }) => ({ n: context.n }),
  states: { sleeping: { on: { wake: 'awake' } }, awake: { type: 'final' } },
})

export const sleeper = defineAgent({
  name: 'sleeper',
  version: '1.0.0',
  description: 'Sleeps until it is woken',
  input: z.object({ n: z.number() }),
  output: z.object({ n: z.number() }),
  concurrency: 256,
  machine,
})
