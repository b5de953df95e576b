// What a handler's function is given.
import type { HandlerContext } from '../sdk/handler.ts'

export type Ambient = 'task' | 'log' | 'signal' | 'progress'

/**
 * A class, because V8 gives each object literal with getters a hidden class that holds them, and chains those: every actor
 * that ever was would stay reachable until the next full collection.
 */
export class RunContext implements HandlerContext {
  readonly input: unknown
  readonly step: HandlerContext['step']
  readonly ask: HandlerContext['ask']
  readonly sleep: HandlerContext['sleep']
  readonly wait: HandlerContext['wait']
  readonly progress: HandlerContext['progress']
  readonly #ambient: Pick<HandlerContext, Ambient>

  constructor(ambient: Pick<HandlerContext, Ambient>, calls: Omit<HandlerContext, Ambient>) {
    this.input = calls.input
    this.step = calls.step
    this.ask = calls.ask
    this.sleep = calls.sleep
    this.wait = calls.wait
    this.progress = ambient.progress
    this.#ambient = ambient
  }

  get task() {
    return this.#ambient.task
  }
  get log() {
    return this.#ambient.log
  }
  get signal() {
    return this.#ambient.signal
  }
}

/**
 * A call that fails while the function awaits another one is heard of when it is awaited in turn. Until then Node would
 * take the rejection for one that nobody handles, and end the process with every actor in it.
 */
export function heard<Value>(call: Promise<Value>): Promise<Value> {
  call.catch(() => {})
  return call
}

/**
 * Resolves when the function has made the calls that follow from what just happened. Not setImmediate: that would put the commits of
 * half the actors into every other turn of the event loop, and each turn's commits share one fsync.
 */
export function callsOfThisMoment(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}
