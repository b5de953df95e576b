// A query that never ends is stopped after ten seconds (tools/tables/database.ts): in a test of such a one, after half of one.
import type { TestContext } from 'node:test'

const QUERY_MS = 10_000
const HURRIED_MS = 500

/** Of this process: the threads of document pools keep their time. */
export function hurryQueries(t: TestContext): void {
  const timeout = AbortSignal.timeout.bind(AbortSignal)
  t.mock.method(AbortSignal, 'timeout', (ms: number) => timeout(ms === QUERY_MS ? HURRIED_MS : ms))
}
