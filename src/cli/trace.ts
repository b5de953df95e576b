// troupe trace: a task's spans as a waterfall, those of the tasks that it asked for below the step that asked.
import type { Context, Handler } from './context.ts'
import { duration } from './table.ts'

export interface Span {
  id: string
  parent?: string
  name: string
  startedAt: number
  endedAt?: number
  error?: string
}

/** A bar is as long as the terminal leaves room for, within these. */
const BAR = { least: 10, most: 40 }
/** Two gaps, and a duration like `1.5 s so far`. */
const BESIDE = 16

export const traceCommand: Handler = async (context, [id]) => {
  const gateway = await context.connect()
  const { spans } = await gateway.get<{ spans: SpanView[] }>(`/v1/tasks/${encodeURIComponent(id!)}/trace`)
  context.show(spans, (all) =>
    drawWaterfall(all.map(spanOf), Date.now(), context.terminal.style, process.stdout.columns).join('\n'),
  )
}

/** As the API tells it: with moments in words. */
type SpanView = Omit<Span, 'startedAt' | 'endedAt'> & { startedAt: string; endedAt?: string }

function spanOf({ startedAt, endedAt, ...span }: SpanView): Span {
  const ended = endedAt === undefined ? {} : { endedAt: Date.parse(endedAt) }
  return { ...span, startedAt: Date.parse(startedAt), ...ended }
}

/** A span that has not ended reaches to `now`. */
export function drawWaterfall(
  spans: Span[],
  now: number,
  paint: Context['terminal']['style'],
  columns = Number.POSITIVE_INFINITY,
): string[] {
  const begin = Math.min(...spans.map(({ startedAt }) => startedAt))
  const end = Math.max(...spans.map(({ endedAt }) => endedAt ?? now))
  const known = new Set(spans.map(({ id }) => id))
  const below = Map.groupBy(spans, ({ parent }) => (parent !== undefined && known.has(parent) ? parent : ''))
  const rows: { label: string; span: Span }[] = []
  const visit = (parent: string, depth: number): void => {
    for (const span of below.get(parent) ?? []) {
      rows.push({ label: '  '.repeat(depth) + span.name, span })
      visit(span.id, depth + 1)
    }
  }
  visit('', 0)
  const widest = Math.max(...rows.map(({ label }) => label.length))
  const width = Math.min(widest, Math.max(BAR.least, columns - BAR.least - BESIDE))
  const room = Math.min(BAR.most, Math.max(BAR.least, columns - width - BESIDE))
  const scale = room / Math.max(1, end - begin)
  return rows.map(({ label, span }) => {
    const until = span.endedAt ?? now
    const from = Math.min(room - 1, Math.floor((span.startedAt - begin) * scale))
    const length = Math.max(1, Math.min(room - from, Math.round((until - span.startedAt) * scale)))
    const bar = ' '.repeat(from) + '█'.repeat(length) + ' '.repeat(room - from - length)
    const took = `${duration(until - span.startedAt)}${span.endedAt === undefined ? ' so far' : ''}`
    const failed = span.error === undefined ? '' : `  ${span.error}`
    const name = label.length > width ? `${label.slice(0, width - 1)}…` : label.padEnd(width)
    return `${name}  ${paint(span.error === undefined ? 'cyan' : 'red', bar)}  ${took}${failed}`.trimEnd()
  })
}
