// What this gateway counts, in Prometheus' text format. Only sums: nothing here belongs to one tenant, so a scraper
// needs no key.
const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

interface Duration {
  buckets: number[]
  sum: number
  count: number
}

export interface Metrics {
  answered(method: string, route: string, status: number, seconds: number): void
  count(name: CounterName, by?: number): void
  text(gauges: Record<string, number>): string
}

const COUNTERS = {
  troupe_gateway_rate_limited_total: 'Requests refused by a rate limit or quota.',
  troupe_gateway_refused_logins_total: 'Requests without a valid credential.',
  troupe_gateway_screened_total: 'Inputs that the screening policy refused or flagged.',
  troupe_gateway_stream_events_total: 'Events sent over SSE and WebSocket.',
  troupe_gateway_streams_dropped_total: 'Streams closed because their reader was too slow.',
} as const
type CounterName = keyof typeof COUNTERS

export function createMetrics(): Metrics {
  const requests = new Map<string, number>()
  const durations = new Map<string, Duration>()
  const counters = new Map<CounterName, number>()

  return {
    answered(method, route, status, seconds) {
      const labels = `method="${method}",route="${route}"`
      const key = `${labels},status="${status}"`
      requests.set(key, (requests.get(key) ?? 0) + 1)
      let duration = durations.get(labels)
      if (duration === undefined) {
        duration = { buckets: BUCKETS_SECONDS.map(() => 0), sum: 0, count: 0 }
        durations.set(labels, duration)
      }
      const bucket = BUCKETS_SECONDS.findIndex((bound) => seconds <= bound)
      if (bucket >= 0) duration.buckets[bucket] = duration.buckets[bucket]! + 1
      duration.sum += seconds
      duration.count++
    },

    count(name, by = 1) {
      counters.set(name, (counters.get(name) ?? 0) + by)
    },

    text(gauges) {
      const lines = [
        '# HELP troupe_http_requests_total Requests answered.',
        '# TYPE troupe_http_requests_total counter',
      ]
      for (const [labels, value] of requests) lines.push(`troupe_http_requests_total{${labels}} ${value}`)
      lines.push(
        '# HELP troupe_http_request_duration_seconds Time to the end of the answer.',
        '# TYPE troupe_http_request_duration_seconds histogram',
      )
      for (const [labels, duration] of durations) lines.push(...histogram(labels, duration))
      for (const [name, help] of Object.entries(COUNTERS)) {
        const value = counters.get(name as CounterName) ?? 0
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`, `${name} ${value}`)
      }
      const typed = new Set<string>()
      for (const [name, value] of Object.entries(gauges)) {
        const family = name.split('{')[0]!
        if (!typed.has(family)) lines.push(`# TYPE ${family} gauge`)
        typed.add(family)
        lines.push(`${name} ${value}`)
      }
      return `${lines.join('\n')}\n`
    },
  }
}

function histogram(labels: string, duration: Duration): string[] {
  const name = 'troupe_http_request_duration_seconds'
  let upTo = 0
  const buckets = BUCKETS_SECONDS.map((bound, index) => {
    upTo += duration.buckets[index]!
    return `${name}_bucket{${labels},le="${bound}"} ${upTo}`
  })
  return [
    ...buckets,
    `${name}_bucket{${labels},le="+Inf"} ${duration.count}`,
    `${name}_sum{${labels}} ${duration.sum}`,
    `${name}_count{${labels}} ${duration.count}`,
  ]
}
