// summarise: the sentences of a text that say most, each with its place (texts/summary.ts).
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { documentPool } from './document-pool.ts'
import { LIMITS } from './documents/document.ts'
import type { SummarySentence } from './texts/summary.ts'

export const summarise = defineTool({
  name: 'summarise',
  description:
    'Picks the sentences that say most, in the order of the text, each with its offsets: a summary that cites.',
  input: z.object({
    text: z.string().max(LIMITS.textLength),
    language: z.string().max(8).default('en'),
    sentences: z.number().int().min(1).max(20).default(5),
    breaks: z
      .array(z.number().int())
      .optional()
      .describe('Offsets that no sentence crosses: where headings begin and end'),
  }),
  output: z.object({
    sentences: z.array(
      z.object({ text: z.string(), start: z.number().int(), end: z.number().int(), score: z.number() }),
    ),
  }),
  limits: { time: 60_000 },
  async run(input, { signal }) {
    const sentences = await documentPool('read').run('summarise', input, { signal, time: 50_000 })
    return { sentences: sentences as SummarySentence[] }
  },
})
