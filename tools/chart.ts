// chart: a line, bar or scatter chart as SVG, and as PNG for places that show no SVG. Drawn without a browser.
import { defineTool, TroupeError } from '@troupe/sdk'
import { z } from 'zod'

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
type ChartInput = z.infer<typeof chartInput>

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
    const svg = await drawSvg(input)
    signal.throwIfAborted()
    return input.png ? { svg, png: await toPng(svg) } : { svg }
  },
})

const COLOURS = ['#2563eb', '#ea580c', '#16a34a', '#9333ea', '#dc2626', '#0891b2', '#ca8a04', '#4b5563']

async function drawSvg(input: ChartInput): Promise<string> {
  // Loaded on first use: half a second that a host without charts does not pay.
  const { init } = await import('echarts')
  const instance = init(null, null, { renderer: 'svg', ssr: true, width: input.width, height: input.height })
  try {
    instance.setOption({
      animation: false,
      color: COLOURS,
      textStyle: { fontFamily: 'DejaVu Sans, Helvetica, Arial, sans-serif' },
      title: {
        text: input.title,
        left: 12,
        top: 8,
        textStyle: { fontSize: 15, fontWeight: 600, width: input.width - 40, overflow: 'truncate' },
      },
      legend: {
        show: input.series.length > 1,
        bottom: 4,
        type: 'plain',
        data: input.series.map((series) => series.name),
      },
      grid: { left: 16, right: 28, top: 52, bottom: input.series.length > 1 ? 40 : 20, containLabel: true },
      xAxis:
        input.kind === 'scatter'
          ? { type: 'value', name: input.xLabel, nameLocation: 'middle', nameGap: 24, scale: true }
          : {
              type: 'category',
              data: input.x.map(String),
              name: input.xLabel,
              nameLocation: 'middle',
              nameGap: 24,
              axisLabel: { hideOverlap: true },
            },
      yAxis: { type: 'value', name: input.yLabel, scale: input.kind !== 'bar' },
      series: input.series.flatMap((series, index) => drawSeries(input, series, index)),
    })
    return withStableNames(instance.renderToSVGString())
  } finally {
    instance.dispose()
  }
}

/** echarts counts its names up over the life of the process; the same chart has to be the same bytes in any process. */
function withStableNames(svg: string): string {
  const names = new Map<string, string>()
  return svg.replaceAll(/\bzr\d+-[a-z]+-?\d+\b/g, (name) => {
    if (!names.has(name)) names.set(name, `chart-${names.size}`)
    return names.get(name)!
  })
}

function drawSeries(input: ChartInput, series: ChartInput['series'][number], index: number): object[] {
  const colour = COLOURS[index % COLOURS.length]!
  const marks = index === 0 ? input.marks : []
  const main = {
    name: series.name,
    type: input.kind,
    data: input.kind === 'scatter' ? series.values.map((y, at) => [input.x[at], y]) : series.values,
    showSymbol: series.values.length <= 40,
    symbolSize: 5,
    lineStyle: { width: 2, type: series.dashed ? 'dashed' : 'solid' },
    itemStyle: { color: colour },
    markLine: {
      symbol: 'none',
      lineStyle: { color: '#6b7280', type: 'dashed' },
      data: marks.map((mark) => ({ xAxis: String(mark.x), label: { formatter: mark.label } })),
    },
  }
  if (series.low === undefined || series.high === undefined) return [main]
  // A band is an invisible line with the difference stacked on it.
  const { low, high } = series
  const band = { type: 'line', stack: `band ${index}`, symbol: 'none', lineStyle: { opacity: 0 }, silent: true }
  return [
    { ...band, data: low },
    {
      ...band,
      data: high.map((top, at) => (top === null || low[at] == null ? null : top - low[at]!)),
      areaStyle: { color: colour, opacity: 0.18 },
    },
    main,
  ]
}

async function toPng(svg: string): Promise<string> {
  const { renderAsync } = await import('@resvg/resvg-js')
  const image = await renderAsync(svg, {
    background: 'white',
    fitTo: { mode: 'zoom', value: 2 },
    font: { defaultFontFamily: 'DejaVu Sans' },
  })
  return Buffer.from(image.asPng()).toString('base64')
}
