// detect-language: which language a text is in, and how sure that is (texts/language.ts).
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { documentPool } from './document-pool.ts'
import { LIMITS } from './documents/document.ts'
import type { DetectedLanguage } from './texts/language.ts'

export const detectLanguage = defineTool({
  name: 'detect-language',
  description: 'Tells the language of a text as an ISO 639-1 code, or "und" when it cannot be told.',
  input: z.object({ text: z.string().max(LIMITS.textLength) }),
  output: z.object({
    language: z.string(),
    confidence: z.number(),
    others: z.array(z.object({ language: z.string(), confidence: z.number() })),
  }),
  limits: { time: 20_000 },
  async run({ text }, { signal }) {
    return (await documentPool('read').run('detect-language', { text }, { signal, time: 15_000 })) as DetectedLanguage
  },
})
