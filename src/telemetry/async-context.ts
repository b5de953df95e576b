// Which span is active follows promises and callbacks: OpenTelemetry's context on Node's AsyncLocalStorage.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Context, ContextManager } from '@opentelemetry/api'

export class AsyncContext implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>()
  readonly #root: Context

  constructor(root: Context) {
    this.#root = root
  }

  active(): Context {
    return this.#storage.getStore() ?? this.#root
  }

  with<Arguments extends unknown[], Work extends (...given: Arguments) => ReturnType<Work>>(
    context: Context,
    work: Work,
    self?: ThisParameterType<Work>,
    ...given: Arguments
  ): ReturnType<Work> {
    return this.#storage.run(context, () => work.apply(self, given))
  }

  bind<Target>(context: Context, target: Target): Target {
    if (typeof target !== 'function') return target
    const bound = (...given: unknown[]) => this.#storage.run(context, () => Reflect.apply(target, undefined, given))
    return bound as Target
  }

  enable(): this {
    return this
  }

  disable(): this {
    this.#storage.disable()
    return this
  }
}
