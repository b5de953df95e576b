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

const BAR = 40

export const traceCommand: Handler = async (context, [id]) => {
  const gateway = await context.connect()
  const { spans } = await gateway.get<{ spans: Span[] }>(`/v1/tasks/${encodeURIComponent(id!)}/trace`)
  context.show(spans, (all) => drawWaterfall(all, Date.now(), context.terminal.style).join('\n'))
}

/** A span that has not ended reaches to `now`. */
export function drawWaterfall(spans: Span[], now: number, paint: Context['terminal']['style']): string[] {
  const begin = Math.min(...spans.map(({ startedAt }) => startedAt))
  const end = Math.max(...spans.map(({ endedAt }) => endedAt ?? now))
  const scale = BAR / Math.max(1, end - begin)
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
  const width = Math.max(...rows.map(({ label }) => label.length))
  return rows.map(({ label, span }) => {
    const until = span.endedAt ?? now
    const from = Math.min(BAR - 1, Math.floor((span.startedAt - begin) * scale))
    const length = Math.max(1, Math.min(BAR - from, Math.round((until - span.startedAt) * scale)))
    const bar = ' '.repeat(from) + '█'.repeat(length) + ' '.repeat(BAR - from - length)
    const took = `${duration(until - span.startedAt)}${span.endedAt === undefined ? ' so far' : ''}`
    const failed = span.error === undefined ? '' : `  ${span.error}`
    return `${label.padEnd(width)}  ${paint(span.error === undefined ? 'cyan' : 'red', bar)}  ${took}${failed}`.trimEnd()
  })
}
