// Counts the spans that were sent to the collector, and those that it did not get.
import type { Measures } from './measures.ts'
import type { Telemetry } from './telemetry.ts'

/** Nothing is counted while no collector is set. */
export function measureTelemetry({ metrics, atScrape }: Measures, { counts }: Telemetry): void {
  if (counts === undefined) return
  const spans = metrics.counter('troupe_trace_spans_total', 'Ended spans: sent to the collector, or dropped')
  const waiting = metrics.gauge('troupe_trace_waiting_bytes', 'Ended spans that wait for the collector')
  const told = { sent: 0, dropped: 0 }
  atScrape(() => {
    const now = counts()
    for (const outcome of ['sent', 'dropped'] as const) {
      spans({ outcome }, now[outcome] - told[outcome])
      told[outcome] = now[outcome]
    }
    waiting({}, now.waitingBytes)
  })
}
