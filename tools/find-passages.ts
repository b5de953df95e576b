// find-passages: where in one text a question is answered (texts/passages.ts).
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { documentPool } from './document-pool.ts'
import { LIMITS } from './documents/document.ts'
import type { TextPassage } from './texts/passages.ts'

export const findPassages = defineTool({
  name: 'find-passages',
  description: 'Finds the passages of a text that answer a question best, ranked, with their offsets.',
  input: z.object({
    text: z.string().max(LIMITS.textLength),
    question: z.string().min(1).max(4_000),
    language: z.string().max(8).default('en'),
    limit: z.number().int().min(1).max(50).default(5),
    window: z.number().int().min(0).max(4_000).optional().describe('Characters of a passage; 0 for single sentences'),
    breaks: z.array(z.number().int()).optional().describe('Offsets that no passage crosses: where pages begin'),
  }),
  output: z.object({
    passages: z.array(
      z.object({ text: z.string(), start: z.number().int(), end: z.number().int(), score: z.number() }),
    ),
  }),
  limits: { time: 60_000 },
  async run(input, { signal }) {
    const passages = await documentPool('read').run('find-passages', input, { signal, time: 50_000 })
    return { passages: passages as TextPassage[] }
  },
})
