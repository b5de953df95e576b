// An agent made to meet every mechanism once: parallel states, a step that fails and is retried, a durable timer, a
// child task, a person's answer, history, emitted events. Tests kill it at each commit.
import { assign, emit, setup } from 'xstate'
import { z } from 'zod'
import { ask, defineAgent, step } from '../../src/sdk/index.ts'

export const doubler = defineAgent({
  name: 'doubler',
  version: '1.0.0',
  description: 'Doubles a number in a recorded step',
  input: z.object({ number: z.number() }),
  output: z.object({ doubled: z.number() }),
  run: async (ctx) => ({ doubled: await ctx.step('double', () => ctx.input.number * 2) }),
})

/** Where effects leave their traces: called once for each run of a step, with its key. */
export type Sink = (key: string, step: string) => void

export function everythingAgent(sink: Sink) {
  const machine = setup({
    types: {
      context: {} as { number: number; fetched: number; doubled: number; approvedBy: string },
      input: {} as { number: number },
      output: {} as { sum: number; approvedBy: string },
      events: {} as { type: 'approve'; by: string },
    },
    actors: {
      fetch: step<{ number: number }, number>(
        ({ input, ctx }) => {
          sink(ctx.idempotencyKey, 'fetch')
          if (ctx.attempt === 1) throw new Error('the first try fails')
          return input.number + 1
        },
        { retries: 2, backoff: 5 },
      ),
      double: ask<{ doubled: number }, { number: number }>('doubler'),
      publish: step<{ sum: number }, string>(({ ctx }) => {
        sink(ctx.idempotencyKey, 'publish')
        return 'published'
      }),
    },
  }).createMachine({
    id: 'everything',
    context: ({ input }) => ({ number: input.number, fetched: 0, doubled: 0, approvedBy: '' }),
    initial: 'gathering',
    output: ({ context }) => ({ sum: context.fetched + context.doubled, approvedBy: context.approvedBy }),
    states: {
      gathering: {
        type: 'parallel',
        onDone: 'resting',
        states: {
          remote: {
            initial: 'fetching',
            states: {
              fetching: {
                invoke: {
                  id: 'fetch',
                  src: 'fetch',
                  input: ({ context }) => ({ number: context.number }),
                  onDone: { target: 'fetched', actions: assign({ fetched: ({ event }) => event.output }) },
                },
              },
              fetched: { type: 'final' },
            },
          },
          child: {
            initial: 'asking',
            states: {
              asking: {
                invoke: {
                  id: 'double',
                  src: 'double',
                  input: ({ context }) => ({ number: context.number }),
                  onDone: { target: 'answered', actions: assign({ doubled: ({ event }) => event.output.doubled }) },
                },
              },
              answered: { type: 'final' },
            },
          },
        },
      },
      resting: { after: { 20: 'deciding' } },
      deciding: {
        entry: emit({ type: 'question' }),
        tags: 'input-required',
        on: { approve: { target: 'publishing', actions: assign({ approvedBy: ({ event }) => event.by }) } },
      },
      publishing: {
        invoke: {
          id: 'publish',
          src: 'publish',
          input: ({ context }) => ({ sum: context.fetched + context.doubled }),
          onDone: 'done',
        },
      },
      done: { type: 'final' },
    },
  })
  return defineAgent({
    name: 'everything',
    version: '1.0.0',
    description: 'Meets every mechanism once',
    input: z.object({ number: z.number() }),
    output: z.object({ sum: z.number(), approvedBy: z.string() }),
    machine,
  })
}
