// Agents whose work can be checked afterwards: each effect is a line in a log, written to disk before the step ends.
import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { defineAgent, type StepContext, step } from '../../../src/sdk/index.ts'

const folder = process.env.CHAOS_FOLDER ?? '.'
let log: number | undefined

/** One line: whoever reads it later sees which value was put under which key, and by whom. */
function act(ctx: StepContext, value: string): void {
  log ??= openSync(join(folder, `effects-${process.pid}.log`), 'a')
  const { idempotencyKey: key, stepId, attempt, task } = ctx
  writeSync(
    log,
    `${JSON.stringify({ task: task.id, step: stepId, attempt, key, value, process: process.pid, at: Date.now() })}\n`,
  )
  fsyncSync(log)
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const ledgerOutput = z.object({ drawn: z.string() })

/**
 * Draws a random value, recorded once; then puts it under two keys. A second value under a key would mean that a
 * recorded step ran again, or that two hosts carried the task on.
 */
const ledger = defineAgent({
  name: 'chaos-ledger',
  version: '1.0.0',
  description: 'Draws a value and writes it down twice',
  input: z.object({ ms: z.number().default(20) }),
  output: ledgerOutput,
  async run({ input, step }) {
    const drawn = await step('draw', async () => {
      await pause(input.ms)
      return randomUUID()
    })
    await step('write', async (ctx) => {
      act(ctx, drawn)
      await pause(input.ms)
    })
    await step('publish', (ctx) => act(ctx, drawn))
    return { drawn }
  },
})

const parent = defineAgent({
  name: 'chaos-parent',
  version: '1.0.0',
  description: 'Asks the ledger, and writes down what it was told',
  input: z.object({ ms: z.number().default(20) }),
  output: ledgerOutput,
  async run({ input, ask, step }) {
    const { drawn } = await ask<{ drawn: string }>('child', 'chaos-ledger', input)
    await step('write', (ctx) => act(ctx, drawn))
    return { drawn }
  },
})

const count = z.object({ number: z.number() })

const mailbox = defineAgent({
  name: 'chaos-mailbox',
  version: '1.0.0',
  description: 'Keeps the numbers it is told in the order they came',
  input: z.object({ expected: z.number() }),
  output: z.object({ numbers: z.array(z.number()) }),
  messages: { count },
  machine: setup({
    types: {
      context: {} as { expected: number; numbers: number[] },
      input: {} as { expected: number },
      events: {} as { type: 'count' } & z.infer<typeof count>,
    },
    actors: { seal: step(({ input, ctx }) => act(ctx, JSON.stringify(input))) },
  }).createMachine({
    context: ({ input }) => ({ expected: input.expected, numbers: [] }),
    initial: 'listening',
    output: ({ context }) => ({ numbers: context.numbers }),
    states: {
      listening: {
        always: { guard: ({ context }) => context.numbers.length >= context.expected, target: 'sealing' },
        on: {
          count: {
            actions: assign({ numbers: ({ context, event }) => [...context.numbers, event.number] }),
          },
        },
      },
      sealing: {
        invoke: {
          id: 'seal',
          src: 'seal',
          input: ({ context }: { context: { numbers: number[] } }) => context.numbers,
          onDone: 'done',
        },
      },
      done: { type: 'final' },
    },
  }),
})

/** Once, it holds the event loop of its host for longer than a lease; later it behaves. */
const blocker = defineAgent({
  name: 'chaos-blocker',
  version: '1.0.0',
  description: 'Blocks its host once',
  input: z.object({ ms: z.number() }),
  output: ledgerOutput,
  async run({ input, task, step }) {
    const drawn = await step('draw', () => randomUUID())
    await step('block', (ctx) => {
      const before = join(folder, `blocked-${task.id}`)
      if (!existsSync(before)) {
        closeSync(openSync(before, 'w'))
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, input.ms)
      }
      act(ctx, drawn)
    })
    return { drawn }
  },
})

/** Kills its host, each time. */
const poison = defineAgent({
  name: 'chaos-poison',
  version: '1.0.0',
  description: 'Kills its host',
  input: z.object({}),
  output: z.object({}),
  run: ({ step }) => step('die', () => process.kill(process.pid, 'SIGKILL')).then(() => ({})),
})

export default [ledger, parent, mailbox, blocker, poison]
