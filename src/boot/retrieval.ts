// The process of the retrieval worker. Environment: TROUPE_RETRIEVAL_ADDRESS (127.0.0.1:0); TROUPE_POSTGRES_URL, or else
// TROUPE_DATA (.troupe) for the embedded store; TROUPE_POSTGRES_POOL (8); TROUPE_INFERENCE_URL (none: words only) and TROUPE_EMBEDDER (embedder),
// the model there, TROUPE_WORKER_SILENCE_MS (10000); TROUPE_GRACE_MS (10000), TROUPE_METRICS_ADDRESS (none); TROUPE_RETRIEVAL_TLS_CERT,
// TROUPE_RETRIEVAL_TLS_KEY and TROUPE_RETRIEVAL_TLS_CA. Traces as in trace-settings.ts. Tells its parent that it is ready
// and at which port; SIGTERM drains it.
import { join, resolve } from 'node:path'
import { pino } from 'pino'
import { createInferenceClient } from '../workers/inference/index.ts'
import {
  inferenceEmbedders,
  noEmbedder,
  openPostgresStore,
  openSqliteStore,
  type RetrievalEvent,
  type Store,
  startRetrievalWorker,
} from '../workers/retrieval/index.ts'
import { measureTelemetry } from './measured-telemetry.ts'
import { createMeasures } from './measures.ts'
import { metricsEndpointOf } from './metrics-endpoint.ts'
import { runProcess } from './process.ts'
import { graceOf, logLevelOf, postgresPool, textOf } from './setting-values.ts'
import { startTelemetry } from './telemetry.ts'
import { ownTls, tlsFiles, workerAddress, workerSilence } from './worker-address.ts'

const text = textOf(process.env)
const log = pino({ name: 'retrieval' })

await runProcess(async () => {
  log.level = logLevelOf(text, 'info')
  const graceMs = graceOf(text)
  const telemetry = await startTelemetry('retrieval', (message) => log.warn(message))
  const measures = createMeasures('retrieval')
  measureTelemetry(measures, telemetry)
  let ready = false
  const endpoint = await metricsEndpointOf(text('TROUPE_METRICS_ADDRESS'), measures, () => ready)
  const inferenceUrl = text('TROUPE_INFERENCE_URL')
  const inference =
    inferenceUrl === undefined
      ? undefined
      : createInferenceClient({ ...workerAddress(inferenceUrl, tlsFiles(text, 'INFERENCE')), ...workerSilence(text) })
  const model = text('TROUPE_EMBEDDER') ?? 'embedder'
  const worker = await startRetrievalWorker({
    address: text('TROUPE_RETRIEVAL_ADDRESS') ?? '127.0.0.1:0',
    store: await openStore(),
    embedders: inference === undefined ? noEmbedder() : inferenceEmbedders({ client: inference, model }),
    metrics: measures.metrics,
    onEvent: logEvent,
    ...ownTls(text, 'RETRIEVAL'),
  })
  ready = true
  log.info({ port: worker.port, ...endpoint?.facts }, 'retrieval worker serves')
  return {
    facts: { port: worker.port, ...endpoint?.facts },
    async stop() {
      ready = false
      await worker.drain(graceMs)
      inference?.close()
      await endpoint?.stop()
      measures.stop()
      await telemetry.stop()
    },
  }
})

async function openStore(): Promise<Store> {
  const url = text('TROUPE_POSTGRES_URL')
  const embedded = () => openSqliteStore(join(resolve(text('TROUPE_DATA') ?? '.troupe'), 'retrieval'))
  if (url === undefined) return await embedded()
  try {
    const connections = postgresPool(text)
    return await openPostgresStore({ url, ...(connections === undefined ? {} : { connections }) })
  } catch (error) {
    if (!(error instanceof Error && /extension "vector" is not available/.test(error.message))) throw error
    // One worker serves all hosts, so its own disk will do; only a second worker would not see the same collections.
    log.warn('this Postgres has no pgvector: collections are kept in the data folder, for this worker alone')
    return await embedded()
  }
}

function logEvent(event: RetrievalEvent): void {
  const { type, ...fields } = event
  if (event.type === 'filling_failed') log.warn({ err: event.error }, 'vectors could not be filled in; trying again')
  else log.info(fields, type)
}
