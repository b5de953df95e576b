// What is tolerated. A matter set to `allow` is still reported, but does not change the verdict.
import { z } from 'zod'

const reaction = z.enum(['allow', 'warn', 'fail'])
export type Reaction = z.infer<typeof reaction>

export const policy = z.object({
  failBelow: z.number().min(0).max(1).default(0.8).describe('Overall score under which the verdict is fail'),
  warnBelow: z.number().min(0).max(1).default(0.98).describe('Overall score under which the verdict is warn'),
  anomalies: reaction.default('warn'),
  drift: reaction.default('warn').describe('For strong drift; some drift never fails'),
  personalData: reaction.default('warn'),
  secrets: reaction.default('fail'),
  claims: reaction.default('fail').describe('For claims that the data contradicts; unsupported ones warn'),
  requiredClauses: z
    .array(z.object({ name: z.string().max(200), anyOf: z.array(z.string().min(1).max(500)).min(1).max(50) }))
    .max(100)
    .default([])
    .describe('Clauses a document must contain, each by one of its wordings'),
  retention: z
    .object({ column: z.string(), days: z.number().min(0), now: z.string().describe('ISO date to count from') })
    .optional()
    .describe('Rows older than this should have been deleted'),
})
export type Policy = z.infer<typeof policy>
