// The interpreter alone: how many turns of a small machine one core computes, without a journal.
import { createAsker } from '../src/actor/children.ts'
import { MachineBehaviour } from '../src/actor/machine.ts'
import { emptyState } from '../src/actor/state.ts'
import { Turn } from '../src/actor/turn.ts'
import type { TaskRow } from '../src/journal/journal.ts'
import { type Measurement, quantile, round } from './measure.ts'
import { sleeper } from './systems/sleeper.ts'

export function measureTransitions(n: number): Measurement {
  const task: TaskRow = {
    id: 'task_bench',
    tenant: 'bench',
    agent: 'sleeper',
    agentVersion: '1.0.0',
    state: 'queued',
    priority: 'normal',
    input: { n: 1 },
    createdAt: 0,
    updatedAt: 0,
    lastEvent: 0,
    epoch: 0,
    version: 0,
    ownerDeaths: 0,
    depth: 0,
    mailPosition: 0,
    mailRead: 0,
  }
  const asker = createAsker(task, () => ({ version: '1.0.0', input: null }))
  const latencies: number[] = []
  const started = performance.now()
  for (let turn = 0; turn < n; turn += 2) {
    const at = performance.now()
    // Two turns: enter the first state, then take the event that ends it, as after a sleep.
    const behaviour = new MachineBehaviour(sleeper, asker)
    const state = emptyState()
    behaviour.begin(new Turn(), state, { n: 1 })
    const woken = new MachineBehaviour(sleeper, asker)
    woken.resume(new Turn(), JSON.parse(JSON.stringify(state)))
    const body = { kind: 'event', event: { type: 'wake' } } as const
    woken.apply(new Turn(), state, { kind: 'mail', message: { id: '1', position: 1, from: 'bench', body } })
    latencies.push((performance.now() - at) / 2)
  }
  const ms = performance.now() - started
  return {
    system: 'troupe',
    workload: 'transitions',
    store: 'none',
    n,
    per_s: Math.round((n / ms) * 1000),
    p50_ms: round(quantile(latencies, 0.5) * 1000) / 1000,
    p99_ms: round(quantile(latencies, 0.99) * 1000) / 1000,
    rss_mb: Math.round(process.memoryUsage.rss() / 1024 / 1024),
  }
}
