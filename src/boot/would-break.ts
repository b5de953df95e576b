// Whether an open task could go on with these agents. Runs the agents' own `migrate`, so of a package that nobody vouches
// for it is asked in the package's guarded process.
import { restoreSnapshot } from '../actor/state.ts'
import { fitVersion } from '../host/versions.ts'
import type { TaskRow } from '../journal/journal.ts'
import type { AgentRegistry } from '../plugins/index.ts'

export type OpenTask = Pick<TaskRow, 'id' | 'agent' | 'agentVersion' | 'snapshot'>

/** Why not; undefined: it could. */
export function wouldBreak(registry: AgentRegistry, task: OpenTask): string | undefined {
  const fit = fitVersion(registry, task)
  if (fit.agent === undefined) return fit.reason
  const state = fit.snapshot ?? (task.snapshot as typeof fit.snapshot)
  if (state?.machine === undefined || fit.agent.machine === undefined) return undefined
  try {
    restoreSnapshot(fit.agent.name, fit.agent.machine, state)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
