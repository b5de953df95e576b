// grpc.health.v1: what probes and load balancers ask. The empty name is the whole server; each service and, if its
// owner says so, each model or store has a name of its own.
import { TroupeError } from '../../contract/errors.ts'
import { type Call, serverStream, unary } from './methods.ts'
import { loadService } from './proto.ts'

export type Serving = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN'

const MAX_NAMES = 1_000

interface HealthRequest {
  service: string
}
interface HealthResponse {
  status: Serving
}

export class Health {
  readonly #states = new Map<string, Serving>([['', 'SERVING']])
  readonly #watchers = new Set<() => void>()

  set(name: string, serving: boolean): void {
    if (!this.#states.has(name) && this.#states.size >= MAX_NAMES) return
    this.#states.set(name, serving ? 'SERVING' : 'NOT_SERVING')
    this.#changed()
  }

  delete(name: string): void {
    if (this.#states.delete(name)) this.#changed()
  }

  get(name: string): Serving {
    return this.#states.get(name) ?? 'SERVICE_UNKNOWN'
  }

  /** While draining, everything is NOT_SERVING, so that balancers look elsewhere before calls are refused. */
  drain(): void {
    for (const name of this.#states.keys()) this.#states.set(name, 'NOT_SERVING')
    this.#changed()
  }

  service() {
    return {
      definition: loadService('health.proto', 'grpc.health.v1.Health'),
      methods: {
        Check: unary<HealthRequest, HealthResponse>(({ service }) => {
          const status = this.get(service)
          if (status === 'SERVICE_UNKNOWN') throw new TroupeError('not_found', `no service ${service}`)
          return { status }
        }),
        List: unary(() => ({
          statuses: Object.fromEntries([...this.#states].map(([name, status]) => [name, { status }])),
        })),
        Watch: serverStream<HealthRequest, HealthResponse>((request, call) => this.#watch(request.service, call)),
      },
    }
  }

  async *#watch(name: string, call: Call): AsyncGenerator<HealthResponse> {
    let sent: Serving | undefined
    let changed = Promise.withResolvers<void>()
    const wake = (): void => changed.resolve()
    this.#watchers.add(wake)
    call.signal.addEventListener('abort', wake, { once: true })
    try {
      while (!call.signal.aborted) {
        changed = Promise.withResolvers<void>()
        const status = this.get(name)
        if (status !== sent) {
          sent = status
          yield { status }
        }
        if (call.draining.aborted) return
        if (!call.signal.aborted) await changed.promise
      }
    } finally {
      this.#watchers.delete(wake)
    }
  }

  #changed(): void {
    for (const wake of [...this.#watchers]) wake()
  }
}
