// What happens after a child has ended: forgive, decide, charge, take down what depends on it, wait, start again; or
// give up. The supervisor (supervisor.ts) owns the children and the way they are launched and stopped for good.
import { TroupeError } from '../contract/errors.ts'
import type { Child, StartResult } from './child.ts'
import type { ChildHandle, Outcome } from './child-spec.ts'
import type { Clock } from './clock.ts'
import { decide } from './decision.ts'
import type { Happening } from './events.ts'
import { Repair } from './repair.ts'
import { forgiveRestarts, spendRestart } from './restart-window.ts'
import type { CompleteSupervisorSpec } from './supervisor-spec.ts'

/** What the restarter needs of its supervisor. */
export interface Household {
  readonly path: string
  readonly spec: CompleteSupervisorSpec
  readonly clock: Clock
  /** In start order. */
  readonly children: ReadonlyMap<string, Child>
  /** The supervisor is on its way out: nothing is to be started any more. */
  isEnding(): boolean
  launch(child: Child): Promise<StartResult>
  /** Removes it from the children. */
  forget(child: Child): void
  /** Does something in the child's lane, with nobody waiting for it. */
  later(child: Child, work: () => void | Promise<void>): void
  /** Stops everything, then the supervisor. */
  end(outcome: Outcome): void
  tell(happening: Happening): void
  tellOf(child: Child, happening: Happening): void
}

export class Restarter {
  readonly #house: Household
  /** When restarts were charged, within the period. */
  #window: number[] = []

  constructor(house: Household) {
    this.#house = house
  }

  async onExit(child: Child, handle: ChildHandle, outcome: Outcome): Promise<void> {
    // Stopped or replaced meanwhile, or about to be stopped with all others: then its end is no news.
    if (this.#house.isEnding() || child.phase.kind !== 'running' || child.phase.handle !== handle) return
    const { uptime, facts } = child.ended()
    if (uptime >= this.#house.spec.forgiveAfter) this.#forgive(child)
    if (outcome.kind === 'crashed') {
      child.lastError = outcome.error
      this.#house.tellOf(child, { type: 'child_crashed', level: 'error', error: outcome.error, uptime, facts })
    } else this.#house.tellOf(child, { type: 'child_ended', level: 'info', outcome, uptime, facts })

    const decision = decide(child.spec.restart, outcome)
    if (decision.restart) await this.#restart(child, decision.charged)
    else this.#retire(child)
  }

  /** It will not be started again, unless a sibling's restart or a person does. */
  #retire(child: Child): void {
    const { autoShutdown, strategy } = this.#house.spec
    if (child.spec.restart === 'temporary' || strategy === 'dynamic') this.#house.forget(child)
    if (!child.spec.significant || autoShutdown === 'never') return
    if (autoShutdown === 'all_significant' && this.#hasLiveSignificantChild()) return
    this.#house.tell({ type: 'supervisor_auto_shutdown', level: 'info', child: child.id })
    this.#house.end({ kind: 'shutdown' })
  }

  #hasLiveSignificantChild(): boolean {
    for (const child of this.#house.children.values()) {
      if (child.spec.significant && child.phase.kind !== 'stopped') return true
    }
    return false
  }

  /** Takes down what depends on the child, waits out the backoff, and has them all started in order. */
  async #restart(culprit: Child, charged: boolean): Promise<void> {
    if (charged && !this.#charge(culprit)) return
    const family = this.#dependants(culprit)
    for (const sibling of family.toReversed()) {
      if (sibling === culprit) continue
      await sibling.stop('shutdown')
      if (sibling.spec.restart === 'temporary') this.#house.forget(sibling)
    }
    if (this.#house.isEnding()) return
    const repair = new Repair(family.filter((child) => this.#house.children.get(child.id) === child))
    const delay = culprit.nextDelay()
    const siblings = [...repair.children].filter((child) => child !== culprit).map((child) => child.id)
    this.#house.tellOf(culprit, { type: 'child_restarting', level: 'warn', delay, charged, siblings })
    const resume = (): void => this.#house.later(culprit, () => this.#resume(repair))
    // Only the first restart goes without a timer. A child that fails to start again and again, without any backoff,
    // would otherwise keep the event loop to itself, and the order to stop would never be heard.
    if (delay === 0 && culprit.attempts === 1) resume()
    else repair.waitFor(this.#house.clock.setTimer(delay, resume))
  }

  async #resume(repair: Repair): Promise<void> {
    for (const child of repair.children) {
      if (this.#house.isEnding()) return
      // Someone stopped it, or another restart took it over, while those before it were starting.
      if (child.phase.kind !== 'waiting' || child.phase.repair !== repair) continue
      child.restarts++
      const result = await this.#house.launch(child)
      // A start that fails is one more crash, of this child, and decided on before anyone else has a word: in between,
      // a restart by hand could slip in, and the rest of the family would wait for a restart that never comes.
      if (typeof result === 'object') return await this.#restart(child, true)
    }
  }

  /** Whom the strategy restarts together with the child, in start order. */
  #dependants(child: Child): Child[] {
    switch (this.#house.spec.strategy) {
      case 'one_for_one':
      case 'dynamic':
        return [child]
      case 'one_for_all':
        return [...this.#house.children.values()]
      case 'rest_for_one': {
        const all = [...this.#house.children.values()]
        return all.slice(all.indexOf(child))
      }
    }
  }

  /** Charges one restart; false when that was one too many, and the supervisor gives up. */
  #charge(culprit: Child): boolean {
    const { intensity, period } = this.#house.spec
    const now = this.#house.clock.now()
    const { window, exceeded } = spendRestart(this.#window, now, { intensity, period })
    this.#window = window
    culprit.charges = spendRestart(culprit.charges, now, { intensity, period }).window
    if (!exceeded) return true
    this.#house.tell({ type: 'supervisor_gave_up', level: 'error', child: culprit.id, intensity, period })
    const last = culprit.lastError === undefined ? 'it keeps ending' : culprit.lastError.message
    const message = `${this.#house.path} gave up: more than ${intensity} restarts in ${period} ms, the last of ${culprit.id}: ${last}`
    // OTP reports `shutdown` here. With P8 a shutdown is free, and a free escalation would be restarted for ever.
    this.#house.end({ kind: 'crashed', error: new TroupeError('unavailable', message, { cause: culprit.lastError }) })
    return false
  }

  #forgive(child: Child): void {
    this.#window = forgiveRestarts(this.#window, child.charges)
    child.charges = []
    child.attempts = 0
  }
}
