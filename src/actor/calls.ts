// The ids of a function's durable calls: each stands for one call of a run, and each run makes the calls of the one before.
import { TroupeError } from '../contract/errors.ts'

export class Calls {
  private readonly agent: string
  private readonly made = new Set<string>()
  /** Those of earlier runs that this one has not made yet. */
  private readonly missing: Set<string>

  constructor(agent: string, earlier: readonly object[]) {
    this.agent = agent
    this.missing = new Set(earlier.flatMap(Object.keys))
  }

  /** An id that stands for two calls would give the second one the first one's outcome, and skip its effect. */
  begin(id: string): void {
    if (typeof id !== 'string' || id in Object.prototype) {
      throw new TroupeError('agent_invalid', `${JSON.stringify(id)} cannot be the id of a call.`)
    }
    if (this.made.has(id)) {
      const message = `${this.agent} makes two calls with the id "${id}" in one run. Each step, ask, sleep and wait needs an id of its own; in a loop, "${id}:2" and so on.`
      throw new TroupeError('agent_invalid', message)
    }
    this.made.add(id)
    this.missing.delete(id)
  }

  /** When the run is over: in words, that it took another way than the ones before. */
  left(): string | undefined {
    if (this.missing.size === 0) return undefined
    const ids = [...this.missing].slice(0, 5).join(', ')
    return `An earlier run of this function made calls that this one did not: ${ids}. The code between its calls must lead to the same calls each time.`
  }
}
