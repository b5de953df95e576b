// What is measured per model and version, and what is told as an event.
import type { TroupeError } from '../../contract/errors.ts'
import type { Labels, Metrics } from '../grpc/index.ts'
import type { DriftReport } from './drift.ts'
import type { Stage } from './probe-child.ts'
import type { PassedOver } from './runner.ts'

export interface ModelVersion {
  name: string
  version: string
}

/** What happens to models. `stage` is the deployment flow; a refused version leaves the old one serving. */
export type ModelEvent =
  | { type: 'stage'; model: string; version: string; stage: 'registry' | Stage | 'start' }
  | { type: 'available'; model: string; version: string; provider: string; passedOver: readonly PassedOver[] }
  | { type: 'refused'; model: string; version: string; stage: string; error: TroupeError; serving: string | undefined }
  | { type: 'unloaded'; model: string; version: string }
  | { type: 'failed'; model: string; version: string; error: TroupeError }
  | { type: 'instance_died'; model: string; version: string; error: TroupeError }
  | ({ type: 'drift'; model: string; version: string } & DriftReport)

export interface Measurements {
  queued(model: ModelVersion, ms: number): void
  ran(model: ModelVersion, rows: number, ms: number): void
  answered(model: ModelVersion, code: string): void
  available(model: ModelVersion, provider: string | undefined): void
  drift(model: ModelVersion, report: DriftReport, tripped: boolean): void
  died(model: ModelVersion, error: TroupeError): void
}

const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

export function createMeasurements(metrics: Metrics, onEvent: (event: ModelEvent) => void): Measurements {
  const queue = metrics.histogram('troupe_inference_queue_seconds', 'Time a request waited for its run')
  const rows = metrics.histogram('troupe_inference_batch_rows', 'Rows computed in one run', ROWS)
  const compute = metrics.histogram('troupe_inference_compute_seconds', 'Time of one run')
  const answers = metrics.counter('troupe_inference_requests_total', 'Requests answered, by model and code')
  const ready = metrics.gauge(
    'troupe_inference_model_ready',
    '1 while a version is served, with its execution provider',
  )
  const drift = metrics.gauge('troupe_inference_drift_index', 'Population stability index against training')
  const deaths = metrics.counter('troupe_inference_instance_deaths_total', 'Instances of a model that died')
  // The labels of a version are built once: this is called for each request.
  const known = new WeakMap<ModelVersion, Labels>()
  const labels = (model: ModelVersion): Labels => {
    let found = known.get(model)
    if (found === undefined) {
      found = { model: model.name, version: model.version }
      known.set(model, found)
    }
    return found
  }
  const answered = new WeakMap<ModelVersion, Map<string, Labels>>()
  const answerLabels = (model: ModelVersion, code: string): Labels => {
    const codes = answered.get(model) ?? new Map<string, Labels>()
    answered.set(model, codes)
    const found = codes.get(code) ?? { ...labels(model), code }
    codes.set(code, found)
    return found
  }
  return {
    queued: (model, ms) => queue(labels(model), ms / 1_000),
    ran(model, count, ms) {
      rows(labels(model), count)
      compute(labels(model), ms / 1_000)
    },
    answered: (model, code) => answers(answerLabels(model, code)),
    available: (model, provider) =>
      ready({ ...labels(model), provider: provider ?? '' }, provider === undefined ? 0 : 1),
    drift(model, report, tripped) {
      drift({ ...labels(model), what: report.what }, report.index)
      if (tripped) onEvent({ type: 'drift', model: model.name, version: model.version, ...report })
    },
    died(model, error) {
      deaths(labels(model))
      onEvent({ type: 'instance_died', model: model.name, version: model.version, error })
    },
  }
}
