// Gives the hosts' steps what they may touch, from the settings: documents out of the stores, the workers' clients,
// the LLM, logs.
import { type Logger, pino } from 'pino'
import { GATEWAY_DEFAULTS } from '../gateway/config.ts'
import { createDocuments } from '../gateway/index.ts'
import { createLlm } from '../host/llm.ts'
import { absentServices, type Services } from '../host/services.ts'
import { createSources, createWeb, readAllowed, readSources } from '../outside/index.ts'
import type { Documents } from '../sdk/context.ts'
import type { Settings } from './settings.ts'
import type { Stores } from './stores.ts'
import type { Telemetry } from './telemetry.ts'
import type { Workers } from './workers.ts'

export function createLog(settings: Settings, name: string): Logger {
  // Data goes to stdout, chatter to stderr.
  return pino({ name, level: settings.logLevel }, pino.destination(2))
}

export function createServices(parts: {
  settings: Settings
  workers: Workers
  stores: Stores
  log: Logger
  telemetry: Telemetry
}): Services {
  const { settings, workers, stores, log, telemetry } = parts
  return {
    ...absentServices,
    inference: workers.inference,
    retrieval: workers.retrieval,
    aroundTool: telemetry.aroundTool,
    llm: createLlm(settings.llm, telemetry.watchChat),
    sources: createSources(settings.sourcesFile === undefined ? {} : readSources(settings.sourcesFile)),
    web: createWeb(readAllowed(settings.documentUrls)),
    documents: (tenant) => documentsOf(stores, settings, tenant),
    log: (fields) => {
      const child = log.child(fields)
      return {
        debug: (message, more) => child.debug(more ?? {}, message),
        info: (message, more) => child.info(more ?? {}, message),
        warn: (message, more) => child.warn(more ?? {}, message),
        error: (message, more) => child.error(more ?? {}, message),
      }
    },
  }
}

function documentsOf(stores: Stores, settings: Settings, tenant: string): Documents {
  const documents = createDocuments({
    blobs: stores.blobs,
    store: stores.gatewayStore,
    bus: stores.bus,
    maxBytes: settings.gateway.maxDocumentBytes ?? GATEWAY_DEFAULTS.maxDocumentBytes,
  })
  return {
    info: (id) => documents.info(tenant, id),
    read: async (id) => (await documents.read(tenant, id)).content,
    put: ({ name, mime, content }) => documents.put({ tenant, name, mime, content, createdBy: 'agent' }),
  }
}
