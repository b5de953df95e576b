// check-claims: which sentences a source bears out, and what it does not know of them (texts/claims.ts).
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { documentPool } from './document-pool.ts'
import { LIMITS } from './documents/document.ts'
import type { CheckedClaim } from './texts/claims.ts'

export const checkClaims = defineTool({
  name: 'check-claims',
  description:
    'Checks sentences against a source text: numbers and names must stand in it, and most words in one passage.',
  input: z.object({
    source: z.string().max(LIMITS.textLength),
    claims: z.array(z.string().max(4_000)).max(200),
    language: z.string().max(8).default('en'),
  }),
  output: z.object({
    claims: z.array(
      z.object({
        claim: z.string(),
        supported: z.boolean(),
        coverage: z.number(),
        missing: z.array(z.string()),
        evidence: z.object({ start: z.number().int(), end: z.number().int() }).optional(),
      }),
    ),
  }),
  limits: { time: 60_000 },
  async run(input, { signal }) {
    return {
      claims: (await documentPool('read').run('check-claims', input, { signal, time: 50_000 })) as CheckedClaim[],
    }
  },
})
