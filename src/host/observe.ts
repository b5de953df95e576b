// Where a host lets itself be watched: one incarnation of a task, each commit and each step within it. The boot files
// open spans here; the host itself knows no telemetry.
import type { ActorExit } from '../actor/actor-parts.ts'
import type { Around } from '../actor/steps.ts'
import type { TaskRow } from '../journal/journal.ts'

/** What a watcher is told of, for whoever watches without knowing actors. */
export type { ActorExit } from '../actor/actor-parts.ts'
export type { Around, SeenStep } from '../actor/steps.ts'
export type { StepResult } from '../actor/turn.ts'

export interface Observation {
  around: Around
  ended(exit: ActorExit): void
}

export type Observe = (task: TaskRow) => Observation

const NOTHING: Observation = {
  around: { step: (_task, _run, inner) => inner(), committing() {}, committed() {} },
  ended() {},
}

/** Nobody watches. */
export const unobserved: Observe = () => NOTHING
