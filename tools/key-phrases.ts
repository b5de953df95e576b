// key-phrases: what a text is about, in its own words (texts/key-phrases.ts).
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { documentPool } from './document-pool.ts'
import { LIMITS } from './documents/document.ts'
import type { KeyPhrase } from './texts/key-phrases.ts'

export const keyPhrases = defineTool({
  name: 'key-phrases',
  description:
    'Finds the words and phrases that say what a text is about, ranked, with how often and where they stand.',
  input: z.object({
    text: z.string().max(LIMITS.textLength),
    language: z.string().max(8).default('en'),
    limit: z.number().int().min(1).max(100).default(12),
  }),
  output: z.object({
    phrases: z.array(
      z.object({
        text: z.string(),
        score: z.number(),
        count: z.number().int(),
        start: z.number().int(),
        end: z.number().int(),
      }),
    ),
  }),
  limits: { time: 60_000 },
  async run(input, { signal }) {
    return { phrases: (await documentPool('read').run('key-phrases', input, { signal, time: 50_000 })) as KeyPhrase[] }
  },
})
