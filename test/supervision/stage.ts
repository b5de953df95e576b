// Children that do what a test tells them, and a diary of what was done to them and in which order.
import type {
  ChildHandle,
  ChildSpec,
  Outcome,
  StopReason,
  SupervisionEvent,
  Supervisor,
  SupervisorSpec,
} from '../../src/supervision/index.ts'
import { startSupervisor } from '../../src/supervision/index.ts'
import { SimulatedClock } from '../support/simulated-clock.ts'

interface Behaviour {
  /** Does not end when asked, only when killed. */
  stubborn?: boolean
  /** What it reports after it was asked to stop. */
  lastWords?: Outcome
}

export class Stage {
  readonly clock = new SimulatedClock()
  /** `+id` started, `-id` asked to stop, `!id` killed. */
  readonly diary: string[] = []
  readonly events: SupervisionEvent[] = []
  /** Ids whose next starts fail, with how many times. */
  readonly failingStarts = new Map<string, number>()
  /** Ids whose start waits until it is resolved here. */
  readonly slowStarts = new Map<string, Promise<void>>()
  readonly #running = new Map<string, (outcome: Outcome) => void>()

  child(id: string, spec: Partial<ChildSpec> = {}, behaviour: Behaviour = {}): ChildSpec {
    return { id, ...spec, start: ({ signal }) => this.#start(id, behaviour, signal) }
  }

  async start(spec: Omit<SupervisorSpec, 'id'> & { id?: string }, signal?: AbortSignal): Promise<Supervisor> {
    return await startSupervisor(
      { id: 'root', ...spec },
      {
        clock: this.clock,
        random: () => 0,
        listener: (event) => this.events.push(event),
        ...(signal === undefined ? {} : { signal }),
      },
    )
  }

  /** The child ends by itself; what can follow without time passing has followed. */
  async end(id: string, outcome: Outcome): Promise<void> {
    this.endNow(id, outcome)
    await this.clock.advance(0)
  }

  endNow(id: string, outcome: Outcome): void {
    this.#running.get(id)?.(outcome)
  }

  async crash(id: string, message = `${id} broke`): Promise<void> {
    await this.end(id, { kind: 'crashed', error: new Error(message) })
  }

  get running(): string[] {
    return [...this.#running.keys()]
  }

  /** What the diary gained since the last look. */
  news(): string {
    return this.diary.splice(0).join(' ')
  }

  types(type: SupervisionEvent['type']): SupervisionEvent[] {
    return this.events.filter((event) => event.type === type)
  }

  async #start(id: string, behaviour: Behaviour, signal: AbortSignal): Promise<ChildHandle> {
    const slow = this.slowStarts.get(id)
    if (slow !== undefined) {
      const aborted = new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      await Promise.race([slow, aborted])
    }
    const failures = this.failingStarts.get(id) ?? 0
    if (failures > 0) {
      this.failingStarts.set(id, failures - 1)
      this.diary.push(`?${id}`)
      throw new Error(`${id} cannot start`)
    }
    this.diary.push(`+${id}`)
    const { promise: exited, resolve } = Promise.withResolvers<Outcome>()
    const exit = (outcome: Outcome): void => {
      if (this.#running.get(id) === exit) this.#running.delete(id)
      resolve(outcome)
    }
    this.#running.set(id, exit)
    const stop = (reason: StopReason): void => {
      this.diary.push(`${reason === 'kill' ? '!' : '-'}${id}`)
      if (reason === 'kill') exit({ kind: 'shutdown' })
      else if (!behaviour.stubborn) exit(behaviour.lastWords ?? { kind: reason === 'drain' ? 'drained' : 'shutdown' })
    }
    return { exited, stop }
  }
}

export const crashed: Outcome = { kind: 'crashed', error: new Error('broken') }
