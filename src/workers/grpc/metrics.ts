// Counters, gauges and histograms of a worker, as Prometheus text. The number of series is bounded: what would exceed it
// is counted under `overflow`, because labels that callers can choose (a model's name) must not grow memory.
export type Labels = Record<string, string>

const MAX_SERIES = 2_000
/** From a tenth of a millisecond to ten seconds: what a call or a run may take. */
const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

interface Histogram {
  counts: number[]
  sum: number
  count: number
}

interface Family<Value> {
  kind: 'counter' | 'gauge' | 'histogram'
  help: string
  bounds: readonly number[]
  series: Map<string, Value>
}

export class Metrics {
  readonly #numbers = new Map<string, Family<number>>()
  readonly #histograms = new Map<string, Family<Histogram>>()

  /** Returns the function that counts, so that a hot path looks its family up once. */
  counter(name: string, help: string): (labels: Labels, by?: number) => void {
    const family = this.#number(name, help, 'counter')
    return (labels, by = 1) => {
      const key = seriesKey(family, labels)
      family.series.set(key, (family.series.get(key) ?? 0) + by)
    }
  }

  gauge(name: string, help: string): (labels: Labels, value: number) => void {
    const family = this.#number(name, help, 'gauge')
    return (labels, value) => family.series.set(seriesKey(family, labels), value)
  }

  histogram(name: string, help: string, bounds: readonly number[] = SECONDS) {
    let family = this.#histograms.get(name)
    if (family === undefined) {
      family = { kind: 'histogram', help, bounds, series: new Map() }
      this.#histograms.set(name, family)
    }
    const { series } = family
    return (labels: Labels, value: number): void => {
      const key = seriesKey(family, labels)
      let histogram = series.get(key)
      if (histogram === undefined) {
        histogram = { counts: new Array<number>(bounds.length).fill(0), sum: 0, count: 0 }
        series.set(key, histogram)
      }
      histogram.sum += value
      histogram.count++
      const bucket = bounds.findIndex((bound) => value <= bound)
      if (bucket !== -1) histogram.counts[bucket]!++
    }
  }

  /** The Prometheus text format, version 0.0.4. */
  text(): string {
    const lines: string[] = []
    for (const [name, family] of this.#numbers) {
      lines.push(`# HELP ${name} ${family.help}`, `# TYPE ${name} ${family.kind}`)
      for (const [key, value] of family.series) lines.push(`${name}${key === '' ? '' : `{${key}}`} ${value}`)
    }
    for (const [name, family] of this.#histograms) {
      lines.push(`# HELP ${name} ${family.help}`, `# TYPE ${name} histogram`)
      for (const [key, histogram] of family.series) {
        const prefix = key === '' ? '' : `${key},`
        let below = 0
        family.bounds.forEach((bound, index) => {
          below += histogram.counts[index]!
          lines.push(`${name}_bucket{${prefix}le="${bound}"} ${below}`)
        })
        lines.push(`${name}_bucket{${prefix}le="+Inf"} ${histogram.count}`)
        lines.push(`${name}_sum${key === '' ? '' : `{${key}}`} ${histogram.sum}`)
        lines.push(`${name}_count${key === '' ? '' : `{${key}}`} ${histogram.count}`)
      }
    }
    return `${lines.join('\n')}\n`
  }

  #number(name: string, help: string, kind: 'counter' | 'gauge'): Family<number> {
    let family = this.#numbers.get(name)
    if (family === undefined) {
      family = { kind, help, bounds: [], series: new Map() }
      this.#numbers.set(name, family)
    }
    return family
  }
}

/** A caller that counts often keeps its labels in one object, whose text is then made once. */
const keys = new WeakMap<Labels, string>()

function seriesKey(family: Family<unknown>, labels: Labels): string {
  let key = keys.get(labels)
  if (key === undefined) {
    key = ''
    for (const name in labels) key += `${key === '' ? '' : ','}${name}="${escapeLabel(labels[name]!)}"`
    keys.set(labels, key)
  }
  return family.series.size < MAX_SERIES || family.series.has(key) ? key : 'overflow="true"'
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replace(/[\\"\n]/g, (letter) => (letter === '\n' ? '\\n' : `\\${letter}`))
    : value
}
