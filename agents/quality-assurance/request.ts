// What a caller sends and what the agent answers.
import { driftedColumn, expectation, scores, violation } from '@troupe/tools/quality/index'
import { dataset, origin } from '@troupe/tools/tables/dataset'
import { z } from 'zod'
import { document } from './document.ts'
import { policy } from './policy.ts'

const figure = z.object({ name: z.string(), value: z.union([z.number(), z.string(), z.null()]), sql: z.string() })

export const analysis = z
  .object({
    summary: z.string().max(20_000).optional(),
    insights: z
      .array(z.object({ text: z.string(), figures: z.array(figure) }))
      .max(500)
      .optional(),
    keyFigures: z.array(figure).max(500).optional(),
    sentences: z
      .array(z.string().max(4_000))
      .max(500)
      .optional()
      .describe('Statements about the document or the dataset'),
  })
  .describe('The output of business-intelligence or document-analyzer, or the parts of it to check')
export type Analysis = z.infer<typeof analysis>

export const request = z
  .object({
    dataset: dataset.optional(),
    reference: dataset.optional().describe('An earlier, good version of the dataset: drift is measured against it'),
    lookups: z
      .array(z.object({ name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/), dataset }))
      .max(10)
      .default([])
      .describe('Tables that expectations of kind reference and accurate name'),
    expectations: z.array(expectation).max(500).default([]),
    infer: z.boolean().default(true).describe('Also expect what nearly all rows suggest'),
    document: document.optional(),
    analysis: analysis.optional(),
    policy: policy.prefault({}),
  })
  .refine((asked) => asked.dataset !== undefined || asked.document !== undefined, {
    message: 'give a dataset, a document or both',
  })
export type Request = z.infer<typeof request>

export const VERDICTS = ['pass', 'warn', 'fail'] as const
export type Verdict = (typeof VERDICTS)[number]

export const reason = z.object({ verdict: z.enum(VERDICTS), matter: z.string(), text: z.string() })
export type Reason = z.infer<typeof reason>

export const complianceFinding = z.object({
  matter: z.enum(['personal data', 'secret', 'required clause', 'retention']),
  kind: z.string(),
  where: z.string(),
  count: z.number(),
  examples: z.array(z.object({ row: z.number().optional(), masked: z.string() })),
  text: z.string(),
})
export type ComplianceFinding = z.infer<typeof complianceFinding>

export const anomaly = z.object({
  measure: z.string(),
  time: z.string().optional(),
  value: z.number(),
  expected: z.number().optional(),
  score: z.number(),
  methods: z.array(z.string()),
})

export const claim = z.object({
  text: z.string(),
  verdict: z.enum(['supported', 'contradicted', 'unsupported']),
  reasons: z.array(z.string()),
})

export const report = z.object({
  verdict: z.enum(VERDICTS).describe('fail stops a pipeline, warn asks a person, pass goes on'),
  reasons: z.array(reason),
  summary: z.string(),
  scores: scores.optional(),
  violations: z.array(violation),
  expectations: z.number().describe('How many expectations were checked'),
  anomalies: z.array(anomaly),
  drift: z.object({ drift: z.enum(['none', 'some', 'strong']), columns: z.array(driftedColumn) }).optional(),
  compliance: z.array(complianceFinding),
  claims: z.array(claim),
  origins: z.array(origin).describe('Where datasets came from that were asked of a database'),
  warnings: z.array(z.string()),
})
export type Report = z.infer<typeof report>
