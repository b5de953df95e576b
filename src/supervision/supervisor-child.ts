// Starts a supervisor: at the root of a process, or as the child of another one.
import type { ChildSpec, StartContext } from './child-spec.ts'
import { systemClock } from './clock.ts'
import { Supervisor } from './supervisor.ts'
import type { SupervisorSpec } from './supervisor-spec.ts'

/** Resolves when all children are ready. When one fails to start, the others are stopped and it throws. */
export async function startSupervisor(spec: SupervisorSpec, context: Partial<StartContext> = {}): Promise<Supervisor> {
  const { signal = new AbortController().signal } = context
  const supervisor = new Supervisor(spec, {
    path: context.path ?? spec.id,
    clock: context.clock ?? systemClock,
    random: context.random ?? Math.random,
    listener: context.listener ?? (() => undefined),
  })
  await supervisor.boot(signal)
  return supervisor
}

/** A supervisor as a child. It shares its parent's clock and listener, and its paths begin with its parent's. */
export function supervisorChild(
  spec: SupervisorSpec,
  as: Pick<ChildSpec, 'restart' | 'shutdown' | 'significant' | 'backoff'> = {},
): ChildSpec {
  return { ...as, id: spec.id, type: 'supervisor', start: (context) => startSupervisor(spec, context) }
}
