// One scenario on a running cluster: load, harm, recovery, count.
import { check, type Findings, violations } from './checker.ts'
import type { Cluster } from './cluster.ts'
import { startLoad } from './load.ts'
import { seeded } from './random.ts'
import { SCENARIOS } from './scenarios.ts'

export interface Result extends Findings {
  scenario: string
  seed: number
  seconds: number
  /** How a host was cut off, where one was. */
  parted?: string
  /** Calls the client had to repeat. */
  repeated: number
  gatewayDeaths: number
  /** From the end of the load until the last task had ended. */
  recoveredMs: number
  violations: number
}

/** An outage may leave work behind for as long as it took; after this, what has not ended never will. */
const PATIENCE_MS = 40_000

export async function runScenario(cluster: Cluster, name: string, seed: number, seconds: number): Promise<Result> {
  await cluster.whole()
  const scenario = SCENARIOS[name]!
  const random = seeded(seed)
  const load = startLoad(cluster, seeded(seed + 1))
  const eventsBefore = cluster.events.length
  try {
    await scenario.run({ cluster, load, random, length: seconds * 1_000 })
  } finally {
    await load.stop()
  }
  const { mayFail } = scenario
  const findings = await check(cluster.journal, cluster.folder, load.accepted, {
    patienceMs: PATIENCE_MS,
    ...(mayFail === undefined ? {} : { mayFail }),
  })
  // No scenario harms the gateway itself: whatever goes away behind it, it lives on.
  const gatewayDeaths = cluster.events
    .slice(eventsBefore)
    .filter(({ type, path }) => type === 'child_crashed' && path.endsWith('/gateway')).length
  return {
    scenario: name,
    seed,
    seconds,
    ...(scenario.needsNetwork ? { parted: cluster.parted } : {}),
    repeated: load.repeated,
    ...findings,
    gatewayDeaths,
    violations: violations(findings) + gatewayDeaths,
  }
}
