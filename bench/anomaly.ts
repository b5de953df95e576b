// The Numenta Anomaly Benchmark, scored by its paper (Lavin and Ahmad, "Evaluating Real-time Anomaly Detection
// Algorithms", 2015), standard profile. The data is read from shared data and never copied.
//   - a detection inside a labelled window earns up to 1, the earlier the more; only the best of a window counts
//   - a window without a detection costs 1
//   - a detection outside costs up to 0.11, less right after a window
//   - the first 15 % of a series (at most 750 rows) are for learning and are not scored
//   - 0 is what a detector scores that never alarms, 100 one that alarms at the first row of each window and nowhere else
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { watchSeries } from '../tools/anomalies/index.ts'

const FALSE_ALARM = 0.11
const LEARNING_SHARE = 0.15
const LEARNING_MOST = 750

export interface LabelledSeries {
  name: string
  times: string[]
  values: number[]
  /** First and last row of each labelled window. */
  windows: [number, number][]
}

export function learningRows(length: number): number {
  return Math.min(Math.floor(length * LEARNING_SHARE), LEARNING_MOST)
}

function earliness(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1
}
const BEST = earliness(-1)

/** What one series adds; `alarms` are rows. */
export function rawScore({ values, windows }: LabelledSeries, alarms: Iterable<number>): number {
  const learning = learningRows(values.length)
  const best = windows.map(() => -1)
  let falseAlarms = 0
  for (const row of alarms) {
    if (row < learning) continue
    const inside = windows.findIndex(([first, last]) => row >= first && row <= last)
    if (inside >= 0) {
      const [first, last] = windows[inside]!
      best[inside] = Math.max(best[inside]!, earliness(-(last - row + 1) / (last - first + 1)) / BEST)
      continue
    }
    const [first, last] = windows.findLast(([, end]) => end < row) ?? []
    falseAlarms +=
      FALSE_ALARM *
      (first === undefined || last === undefined ? -1 : earliness((row - last) / Math.max(1, last - first)))
  }
  return best.reduce((sum, score) => sum + score, falseAlarms)
}

/** 0 for no alarm at all, 100 for the perfect ones; over all series together, as the paper does. */
export function normalisedScore(
  series: LabelledSeries[],
  alarmsOf: (series: LabelledSeries) => Iterable<number>,
): number {
  const windows = series.reduce((sum, one) => sum + one.windows.length, 0)
  const score = series.reduce((sum, one) => sum + rawScore(one, alarmsOf(one)), 0)
  return (100 * (score + windows)) / (2 * windows)
}

export function readBenchmark(folder: string): LabelledSeries[] {
  const labels = JSON.parse(readFileSync(join(folder, 'labels', 'combined_windows.json'), 'utf8')) as Record<
    string,
    [string, string][]
  >
  return Object.entries(labels)
    .filter(([name]) => existsSync(join(folder, name)))
    .map(([name, windows]) => {
      const rows = readFileSync(join(folder, name), 'utf8')
        .trim()
        .split(/\r?\n/)
        .slice(1)
        .map((line) => line.split(','))
      const times = rows.map((row) => row[0]!)
      const at = (moment: string) => times.indexOf(moment.slice(0, 19))
      return {
        name,
        times,
        values: rows.map((row) => Number(row[1])),
        windows: windows.map(([first, last]) => [at(first), at(last)]),
      }
    })
}

export async function run(options: { json?: boolean; folder?: string } = {}): Promise<void> {
  const folder =
    options.folder ??
    join(process.env.TROUPE_SHARED_DATA ?? resolve(import.meta.dirname, '..', '..', 'shared', 'data'), 'anomaly', 'nab')
  if (!existsSync(folder)) return console.log(JSON.stringify({ bench: 'anomaly', skipped: `no ${folder}` }))
  const series = readBenchmark(folder)
  const detected = new Map<LabelledSeries, number[]>()
  for (const one of series) {
    const started = performance.now()
    const alarms = watchSeries(one.values, one.times).alarms.map((alarm) => alarm.index)
    detected.set(one, alarms)
    const score = one.windows.length === 0 ? undefined : Math.round(normalisedScore([one], () => alarms))
    console.log(
      JSON.stringify({
        bench: 'anomaly',
        series: one.name,
        windows: one.windows.length,
        alarms: alarms.length,
        score,
        ms: Math.round(performance.now() - started),
      }),
    )
  }
  console.log(
    JSON.stringify({ bench: 'anomaly', series: 'all', score: normalisedScore(series, (one) => detected.get(one)!) }),
  )
}

if (import.meta.main) await run()
