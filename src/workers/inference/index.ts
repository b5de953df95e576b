// The inference worker: any ONNX model behind the Open Inference Protocol (KServe v2), with the client beside it.
//   worker.ts          startInferenceWorker: repository + gRPC server
//   service.ts         the rpcs
//   codec.ts           ModelInfer's messages by hand; contents.ts: typed tensor contents; tensor.ts: tensors inside
//   repository.ts      which versions are served; registry → scan → resources → load → health → start → available
//   model-folder.ts    what lies on disk, Hugging Face folders too; model-json.ts: the file beside a model
//   probe.ts           tries a model in an expendable process (probe-child.ts, onnx-scan.ts, health-check.ts)
//   served-model.ts    one version being served; batcher.ts: the queue before it (batch-size.ts);
//                      batch.ts: joins and splits tensors
//   instances.ts       where its batches are computed. instance.ts: a worker thread with a session in it
//                      (instance-thread.ts, runner.ts, ort-tensor.ts); loop-instance.ts: a quick model's second session,
//                      on the event loop, and loop-rows.ts: how much of it
//   text-model.ts      texts in, labels or vectors out: text-input.ts (tokenizers, n-grams), text-output.ts (pooling)
//   drift.ts           population stability against training (drift-samples.ts); measurements.ts: metrics, events
//   client.ts          infer, classify, embed; client-stream.ts: over one stream; client-control.ts: load, unload, index;
//                      client-tensors.ts: texts and floats as tensors
// Keeps P7 (deadline and cancel drop what waits), P9 (bad input is a coded error and fails nobody else), and never lets
// a bad model replace a good one.
export type { BreakerOptions } from '../grpc/index.ts'
export {
  type Classification,
  createInferenceClient,
  type InferenceClient,
  type InferenceClientOptions,
  type InferOptions,
} from './client.ts'
export type { ModelMetadata, ModelState } from './client-control.ts'
export { floatRows, floatTensor, textTensor } from './client-tensors.ts'
export type { ModelEvent } from './measurements.ts'
export { type ModelJson, type ModelJsonInput, modelJsonSchema, parseModelJson, sha256Of } from './model-json.ts'
export type { Tensor } from './tensor.ts'
export { type InferenceWorker, type InferenceWorkerOptions, startInferenceWorker } from './worker.ts'
