// The live tree as data: what `troupe tree` and GET /v1/supervision show.
import type { Child } from './child.ts'
import type { ChildHandle, Facts, RestartType } from './child-spec.ts'

/** `waiting`: it will be started again, after its backoff or after the sibling it depends on. */
export type NodeState = 'starting' | 'running' | 'waiting' | 'stopping' | 'stopped'

export interface TreeNode {
  id: string
  path: string
  type: 'worker' | 'supervisor'
  restart: RestartType
  state: NodeState
  /** How often it was started again since its supervisor started. */
  restarts: number
  /** Milliseconds since it became ready; absent unless it runs. */
  uptime?: number
  /** Why it last crashed or failed to start. */
  lastError?: string
  /** What the child says about itself. */
  facts?: Facts
  /** In start order; for supervisors. */
  children?: TreeNode[]
}

export interface ChildCounts {
  /** All children, running or not. */
  specs: number
  active: number
  supervisors: number
  workers: number
}

export interface ChildEntry {
  id: string
  type: 'worker' | 'supervisor'
  /** The running child; `restarting` while it waits for its restart; undefined when it does not run. */
  child: ChildHandle | 'restarting' | undefined
}

export function countChildren(children: Iterable<Child>): ChildCounts {
  const counts = { specs: 0, active: 0, supervisors: 0, workers: 0 }
  for (const child of children) {
    counts.specs++
    if (child.phase.kind === 'running') counts.active++
    if (child.spec.type === 'supervisor') counts.supervisors++
    else counts.workers++
  }
  return counts
}
