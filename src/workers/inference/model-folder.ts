// What lies on disk: models/<name>/<version>/{model.onnx,model.json}; also a folder as Hugging Face publishes it
// (tokenizer.json and onnx/model.onnx), dropped in as models/<name>/ or as one of its versions.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { TroupeError } from '../../contract/errors.ts'
import { type ModelJson, modelJsonSchema, parseModelJson } from './model-json.ts'

/** A version as found: where it lies, and a stamp that changes when its files do. */
export interface FoundVersion {
  name: string
  version: string
  folder: string
  stamp: string
}

const NAME = /^[A-Za-z0-9][\w.-]{0,127}$/
const MAX_JSON_BYTES = 64 * 1024 * 1024
const ONNX_FILES = ['model.onnx', 'onnx/model.onnx']
const WATCHED_FILES = [...ONNX_FILES, 'model.json', 'tokenizer.json', 'config.json']

/** Newest version last. A folder that is no model yet (still being copied) is not listed. */
export function findVersions(root: string): FoundVersion[] {
  const found: FoundVersion[] = []
  for (const name of folders(root)) {
    const folder = join(root, name)
    if (isModel(folder)) found.push({ name, version: '1', folder, stamp: stampOf(folder) })
    else {
      const versions = folders(folder).filter((version) => isModel(join(folder, version)))
      for (const version of versions.sort(compareVersions)) {
        found.push({ name, version, folder: join(folder, version), stamp: stampOf(join(folder, version)) })
      }
    }
  }
  return found
}

/** 2 before 10, 1.2.0 before 1.10.0. */
export function compareVersions(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true })
}

function folders(root: string): string[] {
  if (!existsSync(root)) return []
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && NAME.test(entry.name))
    .map((entry) => entry.name)
    .sort()
}

function isModel(folder: string): boolean {
  return [...ONNX_FILES, 'model.json'].some((file) => existsSync(join(folder, file)))
}

function stampOf(folder: string): string {
  return WATCHED_FILES.map((file) => {
    const stat = statSync(join(folder, file), { throwIfNoEntry: false })
    return stat === undefined ? '-' : `${stat.mtimeMs}:${stat.size}`
  }).join(' ')
}

/** Says what a version is: its model.json, or what its Hugging Face files imply, or a plain tensor model. */
export function describe(folder: string): ModelJson {
  const written = readText(folder, 'model.json')
  if (written !== undefined) return parseModelJson(written, 'model.json')
  const file = ONNX_FILES.find((candidate) => existsSync(join(folder, candidate)))
  if (file === undefined) throw new TroupeError('model_invalid', 'neither model.onnx nor model.json')
  if (existsSync(join(folder, 'tokenizer.json'))) return fromHuggingFace(folder, file)
  return modelJsonSchema.parse({ kind: 'tensor', file })
}

interface HuggingFaceConfig {
  architectures?: string[]
  id2label?: Record<string, string>
  problem_type?: string
  max_position_embeddings?: number
}

function fromHuggingFace(folder: string, file: string): ModelJson {
  const config = readJson<HuggingFaceConfig>(folder, 'config.json') ?? {}
  const tokenizerConfig = readJson<{ model_max_length?: number }>(folder, 'tokenizer_config.json')
  const limits = [tokenizerConfig?.model_max_length, config.max_position_embeddings, 512]
  // Some tokenizers state a limit of 1e30: no limit at all.
  const maxTokens = Math.min(...limits.filter((limit): limit is number => Number.isInteger(limit) && limit! > 1))
  const tokenizer = {
    file: 'tokenizer.json',
    maxTokens,
    ...(tokenizerConfig === undefined ? {} : { config: 'tokenizer_config.json' }),
  }
  const classifies = config.architectures?.some((name) => name.endsWith('ForSequenceClassification')) ?? false
  if (classifies) {
    const labels = Object.entries(config.id2label ?? {})
      .sort(([one], [other]) => Number(one) - Number(other))
      .map(([, label]) => label)
    const activation = config.problem_type === 'multi_label_classification' ? 'sigmoid' : 'softmax'
    return modelJsonSchema.parse({ kind: 'text-classifier', file, labels, tokenizer, pooling: 'none', activation })
  }
  return modelJsonSchema.parse({ kind: 'text-embedder', file, tokenizer, ...sentenceTransformer(folder) })
}

/** What sentence-transformers keeps beside a model: how to pool, and whether to normalise (its default use does). */
function sentenceTransformer(folder: string): { pooling: string; normalise: boolean } {
  const pooling = readJson<Record<string, unknown>>(folder, '1_Pooling/config.json') ?? {}
  const mode = (
    [
      ['cls', 'pooling_mode_cls_token'],
      ['max', 'pooling_mode_max_tokens'],
      ['last', 'pooling_mode_lasttoken'],
    ] as const
  ).find(([, key]) => pooling[key] === true)
  const modules = readJson<{ type?: string }[]>(folder, 'modules.json')
  const normalise = modules === undefined || modules.some(({ type }) => type?.endsWith('Normalize') ?? false)
  return { pooling: mode?.[0] ?? 'mean', normalise }
}

function readJson<Value>(folder: string, file: string): Value | undefined {
  const text = readText(folder, file)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as Value
  } catch (cause) {
    throw new TroupeError('model_invalid', `${file} is not JSON`, { cause })
  }
}

function readText(folder: string, file: string): string | undefined {
  const path = join(folder, file)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if (stat.size > MAX_JSON_BYTES) throw new TroupeError('model_invalid', `${file} is ${stat.size} bytes`)
  return readFileSync(path, 'utf8')
}
