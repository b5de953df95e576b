// What an actor is given by its host, and why an incarnation is over.
import type { ActorCommit, CommitOutcome, Journal, TaskRow } from '../journal/journal.ts'
import type { Agent } from '../sdk/define-agent.ts'
import type { Asker } from './children.ts'
import type { Around, ContextMaker } from './steps.ts'

export interface ActorParts {
  hostId: string
  /** Before any of the agent's code runs; else the claim is part of the first turn. */
  claimFirst?: boolean
  journal: Journal
  agent: Agent
  resolve: Asker['resolve']
  makeContext: ContextMaker
  around: Around
  /** After each commit: the host publishes events, offers children, wakes receivers. */
  onCommitted(task: TaskRow, commit: ActorCommit, outcome: CommitOutcome & { applied: true }): void
}

/** Why an incarnation is over. `crashed`: by the agent's own fault. `lost`: another host owns the task, or the journal refused us. `fenced`: a claim was, for want of a lease. */
export type ActorExit =
  | { kind: 'ended'; crashed: boolean }
  | { kind: 'released'; runnable: boolean; crashed: boolean }
  | { kind: 'lost'; fenced: boolean }
  | { kind: 'failed'; error: unknown }
