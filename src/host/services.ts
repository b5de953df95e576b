// What a step may touch. Each service is a port of the SDK; the boot files fill it with the workers' clients, a test
// with its own.
import type { ContextMaker } from '../actor/steps.ts'
import { TroupeError } from '../contract/errors.ts'
import type { Documents, Inference, Llm, Log, Retrieval, StepContext } from '../sdk/context.ts'

export interface Services {
  documents(tenant: string): Documents
  inference: Inference
  retrieval(tenant: string): Retrieval
  llm: Llm
  log(fields: Record<string, unknown>): Log
  /** Around a tool's call: the boot file opens a span here. */
  aroundTool<T>(name: string, inner: () => Promise<T>): Promise<T>
}

export function contextMaker(services: Services): ContextMaker {
  return (task, run, signal, report): StepContext => {
    const view = {
      id: task.id,
      tenant: task.tenant,
      agent: task.agent,
      metadata: task.metadata ?? {},
      ...(task.parent === undefined ? {} : { parentId: task.parent.taskId }),
      ...(task.deadline === undefined ? {} : { deadline: task.deadline }),
      ...(task.budget === undefined ? {} : { budget: task.budget }),
    }
    // Built when first used: most steps need one or two of them, and a no-op step none.
    const lazy = {
      documents: once(() => services.documents(task.tenant)),
      retrieval: once(() => services.retrieval(task.tenant)),
      log: once(() => services.log({ task: task.id, agent: task.agent, step: run.id })),
    }
    const key = `${task.id}/${run.id}`
    return {
      task: view,
      stepId: run.id,
      idempotencyKey: run.invocation === 1 ? key : `${key}:${run.invocation}`,
      attempt: run.attempt,
      signal,
      progress: (what) => report.progress({ step: run.id, ...what }),
      token: (text) => report.token(run.id, text),
      inference: services.inference,
      llm: services.llm,
      get documents() {
        return lazy.documents()
      },
      get retrieval() {
        return lazy.retrieval()
      },
      get log() {
        return lazy.log()
      },
      tool: (tool, input) => services.aroundTool(tool.name, () => tool.call(input, { signal })),
      spend: (usage) => report.spend(usage),
    }
  }
}

function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
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
  llm: {
    configured: false,
    chat: async () => {
      throw new TroupeError('llm_not_configured', 'No LLM is configured.')
    },
  },
  log: () => ({ debug() {}, info() {}, warn() {}, error() {} }),
  aroundTool: (_, inner) => inner(),
}

function absent(worker: string): () => Promise<never> {
  return async () => {
    throw new TroupeError('worker_unavailable', `This host has no ${worker} worker.`)
  }
}
