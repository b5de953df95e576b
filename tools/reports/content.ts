// What a report is made of. Text is plain text: each form escapes it its own way.
import { z } from 'zod'

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()])

export const reportContent = z.object({
  title: z.string().max(300),
  subtitle: z.string().max(500).default(''),
  sections: z
    .array(
      z.object({
        heading: z.string().max(300),
        paragraphs: z.array(z.string().max(10_000)).max(200).default([]),
        bullets: z.array(z.string().max(5_000)).max(500).default([]),
        table: z
          .object({ columns: z.array(z.string()).min(1).max(30), rows: z.array(z.array(cell)).max(1_000) })
          .optional(),
        chart: z.object({ svg: z.string(), png: z.string().optional(), title: z.string().default('') }).optional(),
        sources: z
          .array(z.object({ figure: z.string(), value: z.string(), sql: z.string() }))
          .max(500)
          .default([])
          .describe('Where the figures of this section come from'),
      }),
    )
    .max(200),
})
export type ReportContent = z.infer<typeof reportContent>

export function cellText(value: string | number | boolean | null): string {
  return value === null ? '' : String(value)
}
