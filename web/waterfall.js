// @ts-check
// How the bars of a trace lie: each span below its parent, where its time begins, as long as it took.

/** @typedef {{ id: string, parent?: string, name: string, startedAt: number, endedAt?: number, error?: string, attributes?: Record<string, string | number> }} Span */
/** @typedef {{ span: Span, depth: number, from: number, width: number, ms: number, open: boolean }} Row */

/** In percent: a shorter one could not be seen. */
const LEAST_WIDTH = 0.4

/**
 * `from` and `width` are percent of the whole. A span that has not ended reaches to `now`; one whose parent is not among
 * them stands at the top.
 * @param {Span[]} spans
 * @param {number} now
 * @returns {{ ms: number, rows: Row[] }}
 */
export function layOut(spans, now) {
  if (spans.length === 0) return { ms: 0, rows: [] }
  const begin = spans.reduce((least, { startedAt }) => Math.min(least, startedAt), Number.POSITIVE_INFINITY)
  const end = spans.reduce((most, { startedAt, endedAt }) => Math.max(most, startedAt, endedAt ?? now), begin)
  const whole = Math.max(1, end - begin)
  const ids = new Set(spans.map(({ id }) => id))
  /** @type {Map<string | undefined, Span[]>} */
  const below = new Map()
  for (const span of spans) {
    const parent =
      span.parent !== undefined && ids.has(span.parent) && span.parent !== span.id ? span.parent : undefined
    below.set(parent, [...(below.get(parent) ?? []), span])
  }

  /** @type {Row[]} */
  const rows = []
  const drawn = new Set()
  /** @param {string | undefined} parent @param {number} depth */
  const visit = (parent, depth) => {
    const ordered = (below.get(parent) ?? []).sort((left, right) => left.startedAt - right.startedAt)
    for (const span of ordered) {
      if (drawn.has(span.id)) continue
      drawn.add(span.id)
      const ms = Math.max(0, (span.endedAt ?? Math.max(now, span.startedAt)) - span.startedAt)
      const from = ((span.startedAt - begin) / whole) * 100
      const width = Math.max(LEAST_WIDTH, (ms / whole) * 100)
      rows.push({
        span,
        depth,
        from: Math.min(from, 100 - LEAST_WIDTH),
        width: Math.min(width, 100),
        ms,
        open: span.endedAt === undefined,
      })
      visit(span.id, depth + 1)
    }
  }
  visit(undefined, 0)
  return { ms: end - begin, rows }
}

/**
 * Round moments along the axis: at most five, each 1, 2 or 5 times a power of ten.
 * @param {number} ms
 */
export function ticksOf(ms) {
  if (ms <= 0) return []
  const rough = ms / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough) ?? 10 * power
  const ticks = []
  for (let at = 0; at <= ms; at += step) ticks.push({ at, from: (at / ms) * 100 })
  return ticks
}
