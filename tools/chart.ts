// chart: a line, bar or scatter chart as SVG, and as PNG for places that show no SVG. Drawn without a browser, in a
// thread (charts/draw.ts).
import { defineTool, TroupeError } from '@troupe/sdk'
import { z } from 'zod'
import { documentPool } from './document-pool.ts'

const LIMITS = { points: 20_000, series: 30, side: 4_000 } as const

const value = z.number().nullable()
const chartInput = z.object({
  kind: z.enum(['line', 'bar', 'scatter']),
  title: z.string().max(300).default(''),
  x: z.array(z.union([z.string(), z.number()])).max(LIMITS.points),
  series: z
    .array(
      z.object({
        name: z.string().max(200),
        values: z.array(value).max(LIMITS.points),
        low: z.array(value).optional().describe('Lower bound of a band, such as a forecast interval'),
        high: z.array(value).optional(),
        dashed: z.boolean().default(false),
      }),
    )
    .min(1)
    .max(LIMITS.series),
  marks: z
    .array(z.object({ x: z.union([z.string(), z.number()]), label: z.string().max(100) }))
    .max(50)
    .default([]),
  xLabel: z.string().max(100).default(''),
  yLabel: z.string().max(100).default(''),
  width: z.int().min(100).max(LIMITS.side).default(900),
  height: z.int().min(100).max(LIMITS.side).default(420),
  png: z.boolean().default(false),
})
export type ChartInput = z.infer<typeof chartInput>

export const chart = defineTool({
  name: 'chart',
  description: 'Draws a line, bar or scatter chart, with bands and marks, as SVG and, if asked, PNG (base64)',
  input: chartInput,
  output: z.object({ svg: z.string(), png: z.string().optional() }),
  limits: { time: 30_000 },
  async run(input, { signal }) {
    for (const series of input.series) {
      if (series.values.length !== input.x.length) {
        throw new TroupeError(
          'invalid_input',
          `series ${series.name} has ${series.values.length} values for ${input.x.length} places`,
        )
      }
    }
    const drawn = await documentPool('read').run('draw-chart', input, { signal, time: 28_000 })
    return drawn as { svg: string; png?: string }
  },
})
