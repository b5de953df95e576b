// An agent that asks another: each `ask` is a durable child task, and nothing is held in memory while it waits.
import { defineAgent } from '@troupe/sdk'
import { z } from 'zod'

export default defineAgent({
  name: 'research-agent',
  version: '1.0.0',
  description: 'Asks document-analyzer each question of a list, one after the other',
  input: z.object({ text: z.string().min(1), questions: z.array(z.string().min(1)).min(1).max(20) }),
  output: z.object({ findings: z.array(z.object({ question: z.string(), answer: z.unknown() })) }),
  async run({ input, ask }) {
    const findings = []
    for (const [index, question] of input.questions.entries()) {
      const analysis = await ask<{ answer?: unknown }>(`question-${index}`, 'document-analyzer', {
        document: { text: input.text },
        question,
      })
      findings.push({ question, answer: analysis.answer ?? null })
    }
    return { findings }
  },
})
