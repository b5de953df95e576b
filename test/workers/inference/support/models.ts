// Small models that the tests build themselves, and temporary model repositories to put them into.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FeaturiserConfig } from '../../../../src/training/featuriser.ts'
import { type Graph, writeOnnx } from '../../../../src/training/onnx-writer.ts'
import type { ModelJsonInput } from '../../../../src/workers/inference/index.ts'

export interface TemporaryModels {
  folder: string
  /** Writes models/<name>/<version>/model.onnx and, when given, model.json; returns the version's folder. */
  put(name: string, version: string, onnx: Uint8Array, json?: ModelJsonInput): string
  remove(name: string, version: string): void
  clear(): void
}

export function temporaryModels(): TemporaryModels {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-models-'))
  return {
    folder,
    put(name, version, onnx, json) {
      const target = join(folder, name, version)
      mkdirSync(target, { recursive: true })
      if (json !== undefined) writeFileSync(join(target, 'model.json'), JSON.stringify(json))
      writeFileSync(join(target, 'model.onnx'), onnx)
      return target
    },
    remove: (name, version) => rmSync(join(folder, name, version), { recursive: true }),
    clear: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Deterministic numbers in [-0.5, 0.5). */
export function numbers(count: number, seed = 1): Float32Array {
  let state = seed
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 0x7fffffff - 0.5
  })
}

/** y = x · factor + offset, any number of columns. */
export function scaleModel(factor: number, offset = 0, width: number | string = 'width'): Buffer {
  return writeOnnx({
    name: 'scale',
    inputs: [{ name: 'x', type: 'FP32', shape: ['batch', width] }],
    outputs: [{ name: 'y', type: 'FP32', shape: ['batch', width] }],
    constants: [
      { name: 'factor', shape: [1], data: Float32Array.of(factor) },
      { name: 'offset', shape: [1], data: Float32Array.of(offset) },
    ],
    nodes: [
      { operator: 'Mul', inputs: ['x', 'factor'], outputs: ['scaled'] },
      { operator: 'Add', inputs: ['scaled', 'offset'], outputs: ['y'] },
    ],
  })
}

/** The network of the throughput bar. */
export function perceptron(sizes: readonly number[] = [384, 512, 512, 8], last = 'y'): Buffer {
  const constants: Graph['constants'][number][] = []
  const nodes: Graph['nodes'][number][] = []
  for (let layer = 1; layer < sizes.length; layer++) {
    const [from, to] = [sizes[layer - 1]!, sizes[layer]!]
    const input = layer === 1 ? 'x' : `h${layer - 1}`
    const end = layer === sizes.length - 1
    constants.push({ name: `w${layer}`, shape: [from, to], data: numbers(from * to, layer).map((value) => value / 10) })
    nodes.push({ operator: 'MatMul', inputs: [input, `w${layer}`], outputs: [end ? last : `m${layer}`] })
    if (!end) nodes.push({ operator: 'Relu', inputs: [`m${layer}`], outputs: [`h${layer}`] })
  }
  return writeOnnx({
    name: 'perceptron',
    inputs: [{ name: 'x', type: 'FP32', shape: ['batch', sizes[0]!] }],
    outputs: [{ name: last, type: 'FP32', shape: ['batch', sizes.at(-1)!] }],
    constants,
    nodes,
  })
}

/** Looks rows of a table up: an index outside of it fails the whole run that holds it. */
export function gatherModel(): Buffer {
  return writeOnnx({
    name: 'gather',
    inputs: [{ name: 'index', type: 'INT64', shape: ['batch'] }],
    outputs: [{ name: 'row', type: 'FP32', shape: ['batch', 2] }],
    constants: [{ name: 'table', shape: [3, 2], data: Float32Array.of(0, 1, 10, 11, 20, 21) }],
    nodes: [{ operator: 'Gather', inputs: ['table', 'index'], outputs: ['row'] }],
  })
}

/** Multiplies square matrices again and again: slow enough to be caught while it runs. */
export function slowModel(rounds = 200, size = 256): Buffer {
  const nodes: Graph['nodes'][number][] = []
  for (let round = 0; round < rounds; round++) {
    const input = round === 0 ? 'x' : `m${round}`
    nodes.push({ operator: 'MatMul', inputs: [input, 'w'], outputs: [round === rounds - 1 ? 'y' : `m${round + 1}`] })
  }
  return writeOnnx({
    name: 'slow',
    inputs: [{ name: 'x', type: 'FP32', shape: ['batch', size] }],
    outputs: [{ name: 'y', type: 'FP32', shape: ['batch', size] }],
    constants: [{ name: 'w', shape: [size, size], data: numbers(size * size) }],
    nodes,
  })
}

/** Eight rows, shared by all words by hash. */
export const TINY_FEATURISER: FeaturiserConfig & Record<string, unknown> = {
  kind: 'ngrams',
  version: 1,
  words: { shortest: 1, longest: 1 },
  characters: null,
  digits: 'keep',
  size: 8,
  hashed: 8,
  vocabulary: '',
  weights: '',
  unseenWeight: 1,
  longestText: 1_000,
  mostTerms: 100,
}
