// From texts to what a model eats: token ids of a Hugging Face tokenizer, or the trainer's n-gram features.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { TroupeError } from '../../contract/errors.ts'
import { createFeaturiser, type FeaturiserConfig } from '../../training/featuriser.ts'
import type { ModelJson } from './model-json.ts'

/** Numbers for one input of the session; the runner gives them the type that the session wants. */
export interface Feed {
  shape: number[]
  values: ArrayLike<number>
}

export interface EncodedTexts {
  feeds: Record<string, Feed>
  /** [texts, tokens]: 1 where a token is, 0 where padding is. Undefined for features, which have no tokens. */
  mask: { values: Uint8Array; tokens: number } | undefined
}

export type TextEncoder = (texts: readonly string[]) => EncodedTexts

// A word of a tokenizer's vocabulary is rarely longer; text beyond this many characters a token is not looked at, so that
// a huge text costs a bounded time.
const CHARACTERS_PER_TOKEN = 24

export function createTextEncoder(folder: string, model: ModelJson, inputNames: readonly string[]): TextEncoder {
  if (model.tokenizer !== undefined) return tokenEncoder(folder, model.tokenizer, inputNames)
  if (model.featuriser === undefined) throw new TroupeError('model_invalid', 'neither tokenizer nor featuriser')
  return featureEncoder(model.featuriser as unknown as FeaturiserConfig, inputNames)
}

/** model.json is checked as JSON only; createFeaturiser itself refuses a configuration that it does not know. */
function featureEncoder(config: FeaturiserConfig, inputNames: readonly string[]): TextEncoder {
  const featuriser = createFeaturiser(config)
  if (inputNames.includes('indices') && inputNames.includes('values')) {
    return (texts) => {
      const { rows, terms, indices, values } = featuriser.batch(texts)
      const shape = [rows, terms]
      return { feeds: { indices: { shape, values: indices }, values: { shape, values } }, mask: undefined }
    }
  }
  const [name] = inputNames
  if (name === undefined) throw new TroupeError('model_invalid', 'the model has no inputs')
  return (texts) => {
    const values = new Float32Array(texts.length * featuriser.size)
    for (const [row, text] of texts.entries()) values.set(featuriser.features(text), row * featuriser.size)
    return { feeds: { [name]: { shape: [texts.length, featuriser.size], values } }, mask: undefined }
  }
}

function tokenEncoder(
  folder: string,
  settings: NonNullable<ModelJson['tokenizer']>,
  inputNames: readonly string[],
): TextEncoder {
  const definition = readJson(folder, settings.file)
  const config = settings.config === undefined ? {} : readJson(folder, settings.config)
  const tokenizer = load(definition, config)
  const padding = padToken(tokenizer, definition, config)
  const { maxTokens } = settings
  const suffix = closingTokens(tokenizer)

  const encode = (text: string): number[] => {
    const { ids } = tokenizer.encode(text.slice(0, maxTokens * CHARACTERS_PER_TOKEN))
    if (ids.length <= maxTokens) return ids
    return [...ids.slice(0, maxTokens - suffix.length), ...suffix]
  }
  return (texts) => {
    const rows = texts.map(encode)
    const tokens = rows.reduce((most, ids) => Math.max(most, ids.length), 1)
    const ids = new Int32Array(rows.length * tokens).fill(padding)
    const mask = new Uint8Array(rows.length * tokens)
    rows.forEach((row, index) => {
      ids.set(row, index * tokens)
      mask.fill(1, index * tokens, index * tokens + row.length)
    })
    const shape = [rows.length, tokens]
    const all: Record<string, Feed> = {
      input_ids: { shape, values: ids },
      attention_mask: { shape, values: mask },
      token_type_ids: { shape, values: new Uint8Array(rows.length * tokens) },
      position_ids: { shape, values: ids.map((_, index) => index % tokens) },
    }
    const feeds: Record<string, Feed> = {}
    for (const name of inputNames) {
      const feed = all[name]
      if (feed === undefined) throw new TroupeError('model_invalid', `input ${name} is none that a tokenizer makes`)
      feeds[name] = feed
    }
    return { feeds, mask: { values: mask, tokens } }
  }
}

function load(definition: object, config: object): Tokenizer {
  try {
    return new Tokenizer(definition, config)
  } catch (cause) {
    throw new TroupeError('model_invalid', `the tokenizer cannot be used: ${(cause as Error).message}`, { cause })
  }
}

/** What the tokenizer puts behind a text, such as [SEP]; a text that is cut short must still end with it. */
function closingTokens(tokenizer: Tokenizer): number[] {
  const bare: number[] = tokenizer.encode('a', { add_special_tokens: false }).ids
  const whole: number[] = tokenizer.encode('a').ids
  const start = whole.findIndex((id, index) => id === bare[0] && index + bare.length <= whole.length)
  return start === -1 ? [] : whole.slice(start + bare.length)
}

function padToken(tokenizer: Tokenizer, definition: object, config: object): number {
  const { padding } = definition as { padding?: { pad_id?: unknown } | null }
  if (typeof padding?.pad_id === 'number') return padding.pad_id
  const { pad_token: token } = config as { pad_token?: string | { content?: string } }
  const name = typeof token === 'string' ? token : token?.content
  return (
    ([name, '[PAD]', '<pad>'].map((each) => each && tokenizer.token_to_id(each)).find(Number.isInteger) as number) ?? 0
  )
}

function readJson(folder: string, file: string): object {
  try {
    return JSON.parse(readFileSync(join(folder, file), 'utf8')) as object
  } catch (cause) {
    throw new TroupeError('model_invalid', `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
