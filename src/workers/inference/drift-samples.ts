// Which numbers of a request and its answer are compared with training: see `profile` in model-json.ts.
import type { DriftMonitor } from './drift.ts'
import type { ModelJson } from './model-json.ts'
import { ELEMENT_BYTES, readerOf, splitElements, type Tensor } from './tensor.ts'
import { TERMS } from './text-model.ts'
import { argmax } from './text-output.ts'

// A large batch tells little more than its first rows, and this runs on the server's event loop.
const ROWS_OF_A_REQUEST = 16

export function observe(
  drift: DriftMonitor,
  model: ModelJson,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
): void {
  if (model.kind === 'tensor') observeColumns(drift, inputs)
  else {
    for (const text of splitElements(inputs[0]!.bytes).slice(0, ROWS_OF_A_REQUEST)) {
      drift.feature('text.characters', text.toString('utf8').length)
    }
    const terms = outputs.find(({ name }) => name === TERMS)
    for (let row = 0; terms !== undefined && row < Math.min(terms.shape[0]!, ROWS_OF_A_REQUEST); row++) {
      drift.feature(TERMS, terms.bytes.readInt32LE(row * 4))
    }
  }
  if (model.labels === undefined) return
  const scores = outputs.find(({ name }) => name === (model.kind === 'tensor' ? model.output : 'probabilities'))
  const found = scores ?? (model.kind === 'tensor' ? outputs[0] : undefined)
  if (found === undefined || found.datatype !== 'FP32' || found.shape.length !== 2) return
  const classes = found.shape[1]!
  for (let row = 0; row < Math.min(found.shape[0]!, ROWS_OF_A_REQUEST); row++) {
    const values = Array.from({ length: classes }, (_, column) => found.bytes.readFloatLE((row * classes + column) * 4))
    drift.prediction(argmax(values))
  }
}

const COLUMN = /^(.*)\[(\d+)\]$/

function observeColumns(drift: DriftMonitor, inputs: readonly Tensor[]): void {
  for (const name of drift.featureNames) {
    const [, inputName, column] = COLUMN.exec(name) ?? []
    const input = inputs.find((each) => each.name === inputName)
    if (input === undefined || input.datatype === 'BYTES' || input.shape.length !== 2) continue
    const [rows, width] = input.shape as [number, number]
    const size = ELEMENT_BYTES[input.datatype]
    const read = readerOf(input.datatype)
    if (Number(column) >= width) continue
    for (let row = 0; row < Math.min(rows, ROWS_OF_A_REQUEST); row++) {
      drift.feature(name, read(input.bytes, (row * width + Number(column)) * size))
    }
  }
}
