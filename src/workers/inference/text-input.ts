// From texts to what a model eats: token ids of a Hugging Face tokenizer, or the trainer's n-gram features.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { TroupeError } from '../../contract/errors.ts'
import { createFeaturiser, type FeaturiserConfig, pad } from '../../training/featuriser.ts'
import type { ModelJson } from './model-json.ts'

/** Numbers for one input of the session; the runner gives them the type that the session wants. */
export interface Feed {
  shape: number[]
  values: ArrayLike<number>
}

/** A text as numbers, before it shares a run with others. */
export interface EncodedText {
  /** Known features or tokens: what a run pads to, and what drift watches, because text of another kind has fewer. */
  terms: number
  /** Token ids, or rows of features. */
  ids: ArrayLike<number>
  /** Of features only. */
  values?: Float32Array
}

export interface Padded {
  feeds: Record<string, Feed>
  /** [texts, tokens]: 1 where a token is, 0 where padding is. Undefined for features, which have no tokens. */
  mask: { values: Uint8Array; tokens: number } | undefined
}

export interface TextEncoder {
  encode(text: string): EncodedText
  /** Makes texts equally long, so that they can share a run. */
  pad(texts: readonly EncodedText[]): Padded
}

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
  const { size, sparse } = createFeaturiser(config)
  const encode = (text: string): EncodedText => {
    const { indices, values } = sparse(text)
    return { terms: indices.length, ids: indices, values }
  }
  if (inputNames.includes('indices') && inputNames.includes('values')) {
    return {
      encode,
      pad(texts) {
        const vectors = texts.map(({ ids, values }) => ({ indices: ids as Int32Array, values: values! }))
        const { rows, terms, indices, values } = pad(vectors)
        const shape = [rows, terms]
        return { feeds: { indices: { shape, values: indices }, values: { shape, values } }, mask: undefined }
      },
    }
  }
  const [name] = inputNames
  if (name === undefined) throw new TroupeError('model_invalid', 'the model has no inputs')
  return {
    encode,
    pad(texts) {
      const dense = new Float32Array(texts.length * size)
      for (const [row, { ids, values }] of texts.entries()) {
        for (let at = 0; at < ids.length; at++) dense[row * size + ids[at]!] = values![at]!
      }
      return { feeds: { [name]: { shape: [texts.length, size], values: dense } }, mask: undefined }
    },
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

  const encode = (text: string): EncodedText => {
    const { ids }: { ids: number[] } = tokenizer.encode(text.slice(0, maxTokens * CHARACTERS_PER_TOKEN))
    const cut = ids.length <= maxTokens ? ids : [...ids.slice(0, maxTokens - suffix.length), ...suffix]
    return { terms: cut.length, ids: cut }
  }
  const padTokens = (rows: readonly EncodedText[]): Padded => {
    const tokens = rows.reduce((most, { terms }) => Math.max(most, terms), 1)
    const ids = new Int32Array(rows.length * tokens).fill(padding)
    const mask = new Uint8Array(rows.length * tokens)
    for (const [index, row] of rows.entries()) {
      ids.set(row.ids, index * tokens)
      mask.fill(1, index * tokens, index * tokens + row.terms)
    }
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
  return { encode, pad: padTokens }
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
