// What a caller sends, and what the agent answers.
import { insight } from '@troupe/tools/insights/index'
import { dataset, origin } from '@troupe/tools/tables/dataset'
import { z } from 'zod'

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()])
const row = z.record(z.string(), cell)

export const request = z.object({
  dataset,
  question: z
    .string()
    .max(1_000)
    .optional()
    .describe('Such as "total revenue by region in 2024" or "top 5 products by growth"'),
  measure: z.string().optional().describe('Look at this column only'),
  time: z.string().optional().describe('The column that says when; chosen when absent'),
  forecastPeriods: z.int().min(0).max(120).default(12).describe('How many periods to forecast; 0 for none'),
  charts: z.int().min(0).max(12).default(5).describe('The most charts to draw'),
  report: z
    .array(z.enum(['html', 'markdown', 'pdf']))
    .default(['html'])
    .describe('The forms of the report; none when empty'),
})
export type Request = z.infer<typeof request>

export const questionAnswer = z.object({
  question: z.string(),
  understood: z.boolean(),
  by: z.enum(['grammar', 'model']).optional(),
  sql: z.string().optional(),
  columns: z.array(z.string()),
  rows: z.array(row),
  notes: z.array(z.string()).describe('How the question was read, or why it was not understood'),
})
export type QuestionAnswer = z.infer<typeof questionAnswer>

export const keyFigure = z.object({ name: z.string(), value: z.number().nullable(), text: z.string(), sql: z.string() })
export type KeyFigure = z.infer<typeof keyFigure>

export const answer = z.object({
  summary: z.string(),
  origin: origin.optional().describe('Where the dataset came from, if it was asked of a database'),
  table: z.object({
    rowCount: z.number(),
    columns: z.array(
      z.object({ name: z.string(), type: z.string(), role: z.string(), nulls: z.number(), distinct: z.number() }),
    ),
  }),
  keyFigures: z.array(keyFigure),
  answer: questionAnswer.optional(),
  insights: z.array(insight),
  tested: z.number().describe('How many possible findings were tested'),
  forecast: z
    .object({
      measure: z.string(),
      grain: z.string(),
      points: z.array(z.object({ period: z.string(), value: z.number(), low: z.number(), high: z.number() })),
      model: z.string(),
      againstNaive: z.number().describe('Error in the back-test divided by that of seasonal naive'),
      warnings: z.array(z.string()),
      sql: z.string(),
    })
    .optional(),
  charts: z.array(
    z.object({ title: z.string(), svg: z.string().describe('Document id'), png: z.string().describe('Document id') }),
  ),
  reports: z.record(z.string(), z.string()).describe('Form to document id'),
  warnings: z.array(z.string()),
})
export type Answer = z.infer<typeof answer>
