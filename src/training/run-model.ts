// Runs a trained model in this process, the way the inference worker does: to compare versions and to measure.
import * as onnx from 'onnxruntime-node'
import { createFeaturiser, type FeaturiserConfig } from './featuriser.ts'

const BATCH = 64

export interface RunningModel {
  /** One row of numbers for each text: probabilities of a classifier, the vector of an embedder. */
  run(texts: readonly string[]): Promise<Float32Array[]>
  close(): Promise<void>
}

export async function openModel(file: Buffer | string, featuriserConfig: FeaturiserConfig): Promise<RunningModel> {
  const options: onnx.InferenceSession.SessionOptions = { intraOpNumThreads: 1, interOpNumThreads: 1 }
  const session =
    typeof file === 'string'
      ? await onnx.InferenceSession.create(file, options)
      : await onnx.InferenceSession.create(file, options)
  const featuriser = createFeaturiser(featuriserConfig)
  const output = session.outputNames[0]!
  return {
    async run(texts) {
      const rows: Float32Array[] = []
      for (let start = 0; start < texts.length; start += BATCH) {
        const batch = featuriser.batch(texts.slice(start, start + BATCH))
        const answer = await session.run({
          indices: new onnx.Tensor('int32', batch.indices, [batch.rows, batch.terms]),
          values: new onnx.Tensor('float32', batch.values, [batch.rows, batch.terms]),
        })
        const data = answer[output]!.data as Float32Array
        const width = data.length / batch.rows
        for (let row = 0; row < batch.rows; row++) rows.push(data.slice(row * width, (row + 1) * width))
      }
      return rows
    },
    close: () => session.release(),
  }
}
