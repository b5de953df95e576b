// An agent as a machine: a step finds risky clauses; where there is one, a person decides, however long that takes.
import { defineAgent, step } from '@troupe/sdk'
import { assign, setup } from 'xstate'
import { z } from 'zod'
import { type Finding, findRisks } from './clauses.ts'

const input = z.object({ text: z.string().min(1).max(1_000_000) })
const decide = z.object({ approved: z.boolean(), reason: z.string().optional() })

const machine = setup({
  types: {
    context: {} as { text: string; findings: Finding[]; approved: boolean },
    input: {} as z.infer<typeof input>,
    events: {} as { type: 'decide' } & z.infer<typeof decide>,
  },
  actors: { reading: step<{ text: string }, Finding[]>(({ input: { text } }) => findRisks(text)) },
}).createMachine({
  id: 'contract-reviewer',
  context: ({ input: { text } }) => ({ text, findings: [], approved: true }),
  initial: 'reading',
  output: ({ context: { approved, findings } }) => ({ approved, findings }),
  states: {
    reading: {
      invoke: {
        src: 'reading',
        input: ({ context: { text } }) => ({ text }),
        onDone: [
          {
            guard: ({ event }) => event.output.length > 0,
            target: 'waitingForPerson',
            actions: assign({ findings: ({ event }) => event.output }),
          },
          { target: 'done' },
        ],
      },
    },
    waitingForPerson: {
      tags: 'input-required',
      on: { decide: { target: 'done', actions: assign({ approved: ({ event }) => event.approved }) } },
    },
    done: { type: 'final' },
  },
})

export default defineAgent({
  name: 'contract-reviewer',
  version: '1.0.0',
  description: 'Finds risky clauses of a contract and asks a person to approve it',
  input,
  output: z.object({
    approved: z.boolean(),
    findings: z.array(z.object({ risk: z.string(), sentence: z.string() })),
  }),
  messages: { decide },
  machine,
})
