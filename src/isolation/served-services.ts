// What a step of an isolated plug-in may touch, as far as its manifest declares it, for the tenant of its task.
import { TroupeError } from '../contract/errors.ts'
import type { Services } from '../host/services.ts'
import type { TaskRow } from '../journal/journal.ts'
import type { PassageDraft, SearchOptions } from '../sdk/context.ts'
import type { Handlers } from './channel.ts'
import type { GuardedPlugin } from './guard.ts'

type Service = GuardedPlugin['permissions']['services'][number]
type Level = 'debug' | 'info' | 'warn' | 'error'
const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'] satisfies Level[]
const MAX_LOG = 10_000
/** The step's own timeout ends its wait; this ends the work that it left behind. */
const OUTSIDE_MS = 60_000

export function serveServices(
  { services, plugin }: { services: Services; plugin: GuardedPlugin },
  taskOf: (taskId: string) => TaskRow,
): Handlers {
  function tenantFor(service: Service, taskId: string): string {
    const { tenant } = taskOf(taskId)
    if (plugin.permissions.services.includes(service)) return tenant
    throw new TroupeError(
      'permission_denied',
      `${plugin.name} uses ${service}; its manifest does not name it under permissions.services.`,
    )
  }
  const documents = (taskId: string) => services.documents(tenantFor('documents', taskId))
  const retrieval = (taskId: string) => services.retrieval(tenantFor('retrieval', taskId))
  const inference = (taskId: string) => {
    tenantFor('inference', taskId)
    return services.inference
  }
  const outside = (service: 'sources' | 'web', taskId: string) => ({
    tenant: tenantFor(service, taskId),
    signal: AbortSignal.timeout(OUTSIDE_MS),
  })

  return {
    'documents.info': (taskId: string, id: string) => documents(taskId).info(id),
    'documents.read': (taskId: string, id: string) => documents(taskId).read(id),
    'documents.put': (taskId: string, document: { name: string; mime: string; content: Uint8Array }) =>
      documents(taskId).put(document),
    'inference.available': (taskId: string) => inference(taskId).available(),
    'inference.classify': (taskId: string, model: string, texts: string[]) => inference(taskId).classify(model, texts),
    'inference.embed': (taskId: string, model: string, texts: string[]) => inference(taskId).embed(model, texts),
    'retrieval.available': (taskId: string) => retrieval(taskId).available(),
    'retrieval.upsert': (taskId: string, collection: string, drafts: PassageDraft[]) =>
      retrieval(taskId).upsert(collection, drafts),
    'retrieval.search': (taskId: string, collection: string, query: string, options?: SearchOptions) =>
      retrieval(taskId).search(collection, query, options),
    'retrieval.remove': (taskId: string, collection: string, ids: string[]) =>
      retrieval(taskId).remove(collection, ids),
    'sources.query': (taskId: string, source: string, sql: string) =>
      services.sources(outside('sources', taskId)).query(source, sql),
    'web.read': (taskId: string, url: string) => services.web(outside('web', taskId)).read(url),
    log(taskId: string, step: string, level: string, message: string) {
      const { id, agent } = taskOf(taskId)
      const log = services.log({ task: id, agent, step: String(step), plugin: plugin.name })
      if (LEVELS.includes(level)) log[level as Level](String(message).slice(0, MAX_LOG))
    },
  }
}
