// The process of the inference worker. Environment: TROUPE_INFERENCE_ADDRESS (127.0.0.1:0), TROUPE_MODELS (models),
// TROUPE_GRACE_MS (10000), TROUPE_METRICS_ADDRESS (none), TROUPE_INFERENCE_PROVIDERS (cuda,webgpu,cpu),
// TROUPE_INFERENCE_KEEP_VERSIONS (2: the one before the newest too, because collections that it embedded are searched
// until they are embedded anew), TROUPE_INFERENCE_LOOP_MS (0.5: what a run may take on the event loop; 0: all runs in
// threads), TROUPE_INFERENCE_MESSAGE_BYTES (67108864: the largest message that is taken or given),
// TROUPE_INFERENCE_TLS_CERT, TROUPE_INFERENCE_TLS_KEY and TROUPE_INFERENCE_TLS_CA; TROUPE_LOG (info); traces as in
// trace-settings.ts. Tells its parent its port when it serves; SIGTERM drains it.
import { pino } from 'pino'
import { TroupeError } from '../contract/errors.ts'
import { type InferenceWorkerOptions, type ModelEvent, startInferenceWorker } from '../workers/inference/index.ts'
import { measureTelemetry } from './measured-telemetry.ts'
import { createMeasures } from './measures.ts'
import { metricsEndpointOf } from './metrics-endpoint.ts'
import { runProcess } from './process.ts'
import { graceOf, logLevelOf, positive, textOf } from './setting-values.ts'
import { startTelemetry } from './telemetry.ts'
import { ownTls } from './worker-address.ts'

/** The event loop reads for all models: whoever holds it longer lets all of them wait. */
const MOST_LOOP_MS = 10
/** gRPC counts the bytes of a message in a signed number of 32 bits. */
const MOST_MESSAGE_BYTES = 2 ** 31 - 1
const text = textOf(process.env)
const log = pino({ name: 'inference' })

await runProcess(async () => {
  log.level = logLevelOf(text, 'info')
  const graceMs = graceOf(text)
  const telemetry = await startTelemetry('inference', (message) => log.warn(message))
  const measures = createMeasures('inference')
  measureTelemetry(measures, telemetry)
  let ready = false
  const endpoint = await metricsEndpointOf(text('TROUPE_METRICS_ADDRESS'), measures, () => ready)
  const worker = await startInferenceWorker({
    address: text('TROUPE_INFERENCE_ADDRESS') ?? '127.0.0.1:0',
    models: text('TROUPE_MODELS') ?? 'models',
    metrics: measures.metrics,
    keepVersions: keepVersions(text('TROUPE_INFERENCE_KEEP_VERSIONS')),
    loopMs: loopMs(text('TROUPE_INFERENCE_LOOP_MS')),
    ...messageLimit(),
    onEvent: logEvent,
    ...providers(text('TROUPE_INFERENCE_PROVIDERS')),
    ...ownTls(text, 'INFERENCE'),
  })
  ready = true
  log.info({ port: worker.port, ...endpoint?.facts }, 'inference worker serves')
  return {
    facts: { port: worker.port, ...endpoint?.facts },
    async stop() {
      ready = false
      await worker.drain(graceMs)
      await endpoint?.stop()
      measures.stop()
      await telemetry.stop()
    },
  }
})

/** Absent: the worker's own. */
function messageLimit(): Pick<InferenceWorkerOptions, 'limits'> {
  const name = 'TROUPE_INFERENCE_MESSAGE_BYTES'
  if (text(name) === undefined) return {}
  return { limits: { messageBytes: positive(text, name, 1, MOST_MESSAGE_BYTES) } }
}

function logEvent(event: ModelEvent): void {
  const { type, ...fields } = event
  const bad = type === 'refused' || type === 'failed' || type === 'instance_died' || type === 'drift'
  if (bad) log.warn(fields, `model ${type}`)
  else if (type !== 'stage') log.info(fields, `model ${type}`)
}

function providers(list: string | undefined): Pick<InferenceWorkerOptions, 'providers'> {
  if (list === undefined) return {}
  const wanted = list.split(',').map((name) => {
    if (name === 'cuda' || name === 'webgpu' || name === 'cpu') return name
    throw new TroupeError('configuration_invalid', `TROUPE_INFERENCE_PROVIDERS: ${name} is none of cuda, webgpu, cpu`)
  })
  return { providers: wanted }
}

function keepVersions(given = '2'): number {
  const count = Number(given)
  if (Number.isInteger(count) && count >= 1) return count
  throw new TroupeError('configuration_invalid', `TROUPE_INFERENCE_KEEP_VERSIONS: ${given} is no whole number from 1`)
}

function loopMs(given = '0.5'): number {
  const ms = Number(given)
  if (given.trim() !== '' && ms >= 0 && ms <= MOST_LOOP_MS) return ms
  throw new TroupeError(
    'configuration_invalid',
    `TROUPE_INFERENCE_LOOP_MS: “${given}” is no number of milliseconds up to ${MOST_LOOP_MS}`,
  )
}
