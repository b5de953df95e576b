// What this gateway counts, in Prometheus' text format. Only sums: nothing here belongs to one tenant, so a scraper
// needs no key.
const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

/** Of one method of one route. */
interface Answers {
  byStatus: Map<number, number>
  buckets: number[]
  seconds: number
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
  const routes = new Map<string, Map<string, Answers>>()
  const counters = new Map<CounterName, number>()

  // By two short keys: to put a label together for each request costs more than to count it.
  function answersOf(method: string, route: string): Answers {
    let methods = routes.get(route)
    if (methods === undefined) {
      methods = new Map()
      routes.set(route, methods)
    }
    let answers = methods.get(method)
    if (answers === undefined) {
      answers = { byStatus: new Map(), buckets: BUCKETS_SECONDS.map(() => 0), seconds: 0, count: 0 }
      methods.set(method, answers)
    }
    return answers
  }

  return {
    answered(method, route, status, seconds) {
      const answers = answersOf(method, route)
      answers.byStatus.set(status, (answers.byStatus.get(status) ?? 0) + 1)
      const bucket = BUCKETS_SECONDS.findIndex((bound) => seconds <= bound)
      if (bucket >= 0) answers.buckets[bucket]! += 1
      answers.seconds += seconds
      answers.count += 1
    },

    count(name, by = 1) {
      counters.set(name, (counters.get(name) ?? 0) + by)
    },

    text(gauges) {
      const lines = [
        '# HELP troupe_http_requests_total Requests answered.',
        '# TYPE troupe_http_requests_total counter',
      ]
      const answered = [...routes].flatMap(([route, methods]) =>
        [...methods].map(([method, answers]) => ({ labels: `method="${method}",route="${route}"`, answers })),
      )
      for (const { labels, answers } of answered) lines.push(...totals(labels, answers))
      lines.push(
        '# HELP troupe_http_request_duration_seconds Time to the end of the answer.',
        '# TYPE troupe_http_request_duration_seconds histogram',
      )
      for (const { labels, answers } of answered) lines.push(...histogram(labels, answers))
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

function totals(labels: string, { byStatus }: Answers): string[] {
  return [...byStatus].map(([status, count]) => `troupe_http_requests_total{${labels},status="${status}"} ${count}`)
}

function histogram(labels: string, answers: Answers): string[] {
  const name = 'troupe_http_request_duration_seconds'
  let upTo = 0
  const buckets = BUCKETS_SECONDS.map((bound, index) => {
    upTo += answers.buckets[index]!
    return `${name}_bucket{${labels},le="${bound}"} ${upTo}`
  })
  return [
    ...buckets,
    `${name}_bucket{${labels},le="+Inf"} ${answers.count}`,
    `${name}_sum{${labels}} ${answers.seconds}`,
    `${name}_count{${labels}} ${answers.count}`,
  ]
}
