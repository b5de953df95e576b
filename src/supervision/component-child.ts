// A component inside this process as a child: a bus connection, a lease keeper, an agent's pool.
import { toTroupeError } from '../contract/errors.ts'
import type { ChildSpec, Facts, Outcome, StartContext, StopReason } from './child-spec.ts'
import { settledWithin } from './clock.ts'

export interface RunningComponent {
  /** Resolves when it has stopped and holds nothing any more. */
  stop(reason: StopReason): Promise<void>
  /** Resolves when it breaks while it runs. Without it, the component never breaks by itself. */
  failed?: Promise<Error>
  /** Resolves when it has nothing more to do. */
  finished?: Promise<void>
  facts?(): Facts
}

export interface ComponentSpec extends Omit<ChildSpec, 'start' | 'type'> {
  /** Resolves when the component is ready to be used by those started after it. */
  start(context: StartContext): Promise<RunningComponent>
}

/** How long a broken component may take to let go of what it holds. */
const LET_GO = 5_000

export function componentChild(spec: ComponentSpec): ChildSpec {
  return {
    ...spec,
    type: 'worker',
    async start(context) {
      const component = await spec.start(context)
      const { promise: exited, resolve } = Promise.withResolvers<Outcome>()
      const stop = once((reason: StopReason) => component.stop(reason))
      // What is still held by a component that broke must be let go before its successor starts, or the port is taken.
      const breakDown = async (error: Error): Promise<void> => {
        const stopped = stop('shutdown').catch(() => undefined)
        await settledWithin(stopped, LET_GO, context.clock)
        resolve({ kind: 'crashed', error })
      }
      const broke = (thrown: unknown): Promise<void> => breakDown(toTroupeError(thrown))
      component.failed?.then(breakDown, broke)
      component.finished?.then(() => resolve({ kind: 'normal' }), broke)
      return {
        exited,
        async stop(reason) {
          // Code that shares our thread cannot be killed: it is told again, and not waited for.
          if (reason === 'kill') {
            resolve({ kind: 'shutdown' })
            return await component.stop('kill')
          }
          try {
            await stop(reason)
            resolve({ kind: reason === 'drain' ? 'drained' : 'shutdown' })
          } catch (thrown) {
            resolve({ kind: 'crashed', error: toTroupeError(thrown) })
          }
        },
        ...(component.facts === undefined ? {} : { facts: () => component.facts?.() ?? {} }),
      }
    },
  }
}

/** A component that broke while it was being stopped is stopped once, not twice at the same time. */
function once(stop: (reason: StopReason) => Promise<void>): (reason: StopReason) => Promise<void> {
  let stopping: Promise<void> | undefined
  return (reason) => {
    stopping ??= stop(reason)
    return stopping
  }
}
