// What a step may touch. Each service is a port of the SDK; the boot files fill it with the workers' clients, a test
// with its own.
import type { ContextMaker, Report, SignalSource, StepRun } from '../actor/steps.ts'
import { TroupeError } from '../contract/errors.ts'
import type { TaskRow } from '../journal/journal.ts'
import type { Documents, Inference, Llm, Log, Retrieval, Sources, StepContext, TaskView, Web } from '../sdk/context.ts'
import { absentLlm, type LlmUse } from './llm.ts'

export interface Services {
  documents(tenant: string): Documents
  inference: Inference
  retrieval(tenant: string): Retrieval
  llm(use: LlmUse): Llm
  sources(use: OutsideUse): Sources
  web(use: OutsideUse): Web
  log(fields: Record<string, unknown>): Log
  /** Around a tool's call: the boot file opens a span here. */
  aroundTool<T>(name: string, inner: () => Promise<T>): Promise<T>
}

/** For whom something outside is read, and until when. */
export interface OutsideUse {
  tenant: string
  signal: AbortSignal
}

export function contextMaker(services: Services): ContextMaker {
  return (task, run, source, report) => new Context(services, task, run, source, report)
}

/** A class, and services built when first used: this is made for every step, and most use one or two of them. */
class Context implements StepContext {
  readonly #services: Services
  readonly #task: TaskRow
  readonly #run: StepRun
  readonly #source: SignalSource
  readonly #report: Report
  #log: Log | undefined

  constructor(services: Services, task: TaskRow, run: StepRun, source: SignalSource, report: Report) {
    this.#services = services
    this.#task = task
    this.#run = run
    this.#source = source
    this.#report = report
  }

  get task(): TaskView {
    const { id, tenant, agent, metadata = {}, parent, deadline, budget } = this.#task
    return {
      id,
      tenant,
      agent,
      metadata,
      ...(parent === undefined ? {} : { parentId: parent.taskId }),
      ...(deadline === undefined ? {} : { deadline }),
      ...(budget === undefined ? {} : { budget }),
    }
  }
  get stepId(): string {
    return this.#run.id
  }
  get idempotencyKey(): string {
    const key = `${this.#task.id}/${this.#run.id}`
    return this.#run.invocation === 1 ? key : `${key}:${this.#run.invocation}`
  }
  get attempt(): number {
    return this.#run.attempt
  }
  get signal(): AbortSignal {
    return this.#source.signal
  }
  get log(): Log {
    this.#log ??= this.#services.log({ task: this.#task.id, agent: this.#task.agent, step: this.#run.id })
    return this.#log
  }
  get documents(): Documents {
    return this.#services.documents(this.#task.tenant)
  }
  get inference(): Inference {
    return this.#services.inference
  }
  get retrieval(): Retrieval {
    return this.#services.retrieval(this.#task.tenant)
  }
  get llm(): Llm {
    return this.#services.llm({ signal: this.signal, spend: (usage) => this.#report.spend(usage) })
  }
  get sources(): Sources {
    return this.#services.sources({ tenant: this.#task.tenant, signal: this.signal })
  }
  get web(): Web {
    return this.#services.web({ tenant: this.#task.tenant, signal: this.signal })
  }
  // Arrow functions: agents take them out of the context.
  readonly progress: StepContext['progress'] = (what) => this.#report.progress({ step: this.#run.id, ...what })
  readonly token: StepContext['token'] = (text) => this.#report.token(this.#run.id, text)
  readonly spend: StepContext['spend'] = (usage) => this.#report.spend(usage)
  readonly tool: StepContext['tool'] = (tool, input) =>
    this.#services.aroundTool(tool.name, () => tool.call(input, { signal: this.signal }))
}

/** Services for a host without workers: everything answers that it is absent. */
export const absentServices: Services = {
  documents: () => {
    const refuse = async () => {
      throw new TroupeError('unavailable', 'This host has no document store.')
    }
    return { info: refuse, read: refuse, put: refuse }
  },
  inference: {
    available: async () => false,
    classify: absent('inference'),
    embed: absent('inference'),
  },
  retrieval: () => ({
    available: async () => false,
    upsert: absent('retrieval'),
    search: absent('retrieval'),
    remove: absent('retrieval'),
  }),
  llm: () => absentLlm,
  sources: () => ({
    async query(source) {
      throw new TroupeError('not_found', `There is no source ${source}.`)
    },
  }),
  web: () => ({
    async read(url) {
      throw new TroupeError('address_refused', `No address may be read here, so ${url} may not.`)
    },
  }),
  log: () => ({ debug() {}, info() {}, warn() {}, error() {} }),
  aroundTool: (_, inner) => inner(),
}

function absent(worker: string): () => Promise<never> {
  return async () => {
    throw new TroupeError('worker_unavailable', `This host has no ${worker} worker.`)
  }
}
