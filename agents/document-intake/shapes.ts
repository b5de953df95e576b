// What goes into the intake, what comes out, and what a person may say in between.
import { z } from 'zod'

const file = z
  .object({
    id: z.string().optional().describe('A stored document'),
    text: z.string().max(1_000_000).optional(),
    name: z.string().max(255).optional().describe('With a text: what kind it is, such as "sales.csv"'),
  })
  .refine((given) => (given.id === undefined) !== (given.text === undefined), {
    message: 'give exactly one of id and text',
  })
export type File = z.infer<typeof file>

export const input = z.object({
  files: z.array(file).min(1).max(1_000),
  atOnce: z.number().int().min(1).max(32).default(4).describe('Files that are worked on at the same time'),
  collection: z.string().min(1).max(128).optional().describe('Where what is accepted can be found'),
  report: z.boolean().default(true).describe('Look for insights in tables'),
})
export type Input = z.infer<typeof input>

export const stage = z.enum([
  'queued',
  'analysing',
  'checking',
  'deciding',
  'indexing',
  'reporting',
  'accepted',
  'refused',
  'failed',
])
export type Stage = z.infer<typeof stage>

export const fileResult = z.object({
  file: z.string(),
  stage,
  type: z.string().optional(),
  verdict: z.enum(['pass', 'warn', 'fail']).optional(),
  reasons: z.array(z.string()),
  decidedBy: z.string().optional().describe('Who decided where the check warned'),
  summary: z.string().optional(),
  insights: z.array(z.string()),
  error: z.string().optional(),
})
export type FileResult = z.infer<typeof fileResult>

export const output = z.object({
  accepted: z.number().int(),
  refused: z.number().int(),
  failed: z.number().int(),
  files: z.array(fileResult),
})

/** A person’s answer where the check warned: `POST /v1/tasks/{id}/messages` with type `decide`. */
export const decide = z.object({
  file: z.number().int().min(0).describe('Which file, counted from 0'),
  accept: z.boolean(),
  by: z.string().max(200).default('somebody'),
})
export type Decision = z.infer<typeof decide>
