// Supervision: who decides what a crash means. The reference is Erlang/OTP's supervisor; on top come backoff with
// jitter, forgiveness of progress, and deploys that cost nothing. It knows no task, bus or journal. Time is injected.
//
//   supervisor-child.ts  startSupervisor, and a supervisor as a child of another
//   supervisor.ts        starts in order, stops in reverse; start, terminate, restart, delete a child; the live tree
//   restarter.ts         what follows when a child ends: restart, give up, escalate
//   supervisor-spec.ts   a supervisor as data: strategy, budget, children
//   child-spec.ts        a child as data; the outcome it reports
//   child.ts             one child's phases: starting, running, stopping, waiting
//   decision.ts          what an outcome means for a restart type (P8)
//   restart-window.ts    too many restarts? pure, over timestamps: an actor keeps its own in the journal
//   backoff.ts           how long to wait, pure
//   repair.ts            the siblings that wait to be started again together
//   lane.ts              one thing after another
//   events.ts, tree.ts   what happened, and what is, as data
//   clock.ts             time as a port
//   component-child.ts   a component of this process as a child
//   process-child.ts     an operating-system process as a child; process-output.ts reads its lines
//   liveness.ts          notices a process that hangs
//   below.ts             what a child process supervises itself, in its parent's tree
//   child-side.ts        the other side: what such a process does to be ready, to drain, to go with its parent
//
// Promises: P5 (a child that should run runs, or someone hears that it does not), P8 (deploys are not crashes).
export { type Backoff, backoffDelay } from './backoff.ts'
export { showBelow } from './below.ts'
export { type ChildSide, type ChildSideOptions, type DrainCause, EXIT_DRAINED, underSupervisor } from './child-side.ts'
export type {
  AutoShutdown,
  ChildHandle,
  ChildSpec,
  Facts,
  Outcome,
  RestartType,
  StartContext,
  StopReason,
} from './child-spec.ts'
export { type Clock, settledWithin, systemClock } from './clock.ts'
export { type ComponentSpec, componentChild, type RunningComponent } from './component-child.ts'
export type { Level, SupervisionEvent } from './events.ts'
export { type Liveness, watchLiveness } from './liveness.ts'
export { type ProcessSpec, processChild } from './process-child.ts'
export type { OutputLine } from './process-output.ts'
export { forgiveRestarts, type RestartBudget, spendRestart } from './restart-window.ts'
export type { Supervisor } from './supervisor.ts'
export { startSupervisor, supervisorChild } from './supervisor-child.ts'
export type { Strategy, SupervisorSpec } from './supervisor-spec.ts'
export type { ChildCounts, ChildEntry, NodeState, TreeNode } from './tree.ts'
