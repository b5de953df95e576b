// A chart as SVG by echarts and as PNG by resvg. It runs in a document thread: echarts alone takes half a second to load,
// and a host that stands still for so long beside other work comes near to losing its lease.
import type { ChartInput } from '../chart.ts'
import { titleLines } from './title.ts'

export async function drawChart(input: ChartInput): Promise<{ svg: string; png?: string }> {
  const svg = await drawSvg(input)
  return input.png ? { svg, png: await toPng(svg) } : { svg }
}

const COLOURS = ['#2563eb', '#ea580c', '#16a34a', '#9333ea', '#dc2626', '#0891b2', '#ca8a04', '#4b5563']

const TITLE = { left: 12, top: 8, fontSize: 15, lineHeight: 20 }
/** Below a title of one line, with the labels of marks. */
const PLOT_TOP = 52

async function drawSvg(input: ChartInput): Promise<string> {
  // Loaded on first use: a thread that only reads text does not pay for it.
  const { init } = await import('echarts')
  const instance = init(null, null, { renderer: 'svg', ssr: true, width: input.width, height: input.height })
  const title = titleLines(input.title, input.width - 2 * TITLE.left, TITLE.fontSize)
  const further = Math.max(0, title.length - 1) * TITLE.lineHeight
  try {
    instance.setOption({
      animation: false,
      color: COLOURS,
      textStyle: { fontFamily: 'DejaVu Sans, Helvetica, Arial, sans-serif' },
      title: {
        text: title.join('\n'),
        left: TITLE.left,
        top: TITLE.top,
        textStyle: { fontSize: TITLE.fontSize, lineHeight: TITLE.lineHeight, fontWeight: 600 },
      },
      legend: {
        show: input.series.length > 1,
        bottom: 4,
        type: 'plain',
        data: input.series.map((series) => series.name),
      },
      grid: {
        left: 16,
        right: 28,
        top: PLOT_TOP + further,
        bottom: input.series.length > 1 ? 40 : 20,
        containLabel: true,
      },
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
