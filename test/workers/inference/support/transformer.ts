// A transformer of one layer, small enough to build in a test, in a folder as Hugging Face publishes models.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeOnnx } from '../../../../src/training/onnx-writer.ts'
import { numbers } from './models.ts'

export const WIDTH = 16
const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]']
const WORDS = [
  'the',
  'invoice',
  'is',
  'due',
  'soon',
  'cat',
  'sleep',
  's',
  '##s',
  '##ing',
  'pay',
  '##ment',
  'in',
  ',',
  '.',
]
const VOCABULARY = [...SPECIAL, ...WORDS]

/** input_ids, attention_mask → embeddings, attention under the mask, layer norm → last_hidden_state, or logits. */
export function transformer(classes?: number): Buffer {
  const head = classes === undefined ? [] : classifierHead()
  return writeOnnx({
    name: 'transformer',
    inputs: [
      { name: 'input_ids', type: 'INT64', shape: ['batch', 'tokens'] },
      { name: 'attention_mask', type: 'INT64', shape: ['batch', 'tokens'] },
    ],
    outputs: [
      classes === undefined
        ? { name: 'last_hidden_state', type: 'FP32', shape: ['batch', 'tokens', WIDTH] }
        : { name: 'logits', type: 'FP32', shape: ['batch', classes] },
    ],
    constants: [
      { name: 'table', shape: [VOCABULARY.length, WIDTH], data: numbers(VOCABULARY.length * WIDTH) },
      { name: 'scale', shape: [WIDTH], data: new Float32Array(WIDTH).fill(1) },
      { name: 'one', shape: [1], data: Float32Array.of(1) },
      { name: 'far', shape: [1], data: Float32Array.of(-1e9) },
      { name: 'axis', shape: [1], data: BigInt64Array.of(1n) },
      ...(classes === undefined
        ? []
        : [
            { name: 'first', shape: [], data: BigInt64Array.of(0n) },
            { name: 'head', shape: [WIDTH, classes], data: numbers(WIDTH * classes, 7) },
          ]),
    ],
    nodes: [
      { operator: 'Gather', inputs: ['table', 'input_ids'], outputs: ['x'] },
      { operator: 'Transpose', inputs: ['x'], outputs: ['xt'], attributes: { perm: [0, 2, 1] } },
      { operator: 'MatMul', inputs: ['x', 'xt'], outputs: ['scores'] },
      { operator: 'Cast', inputs: ['attention_mask'], outputs: ['mask'], attributes: { to: 1 } },
      { operator: 'Sub', inputs: ['one', 'mask'], outputs: ['hidden'] },
      { operator: 'Mul', inputs: ['hidden', 'far'], outputs: ['bias'] },
      { operator: 'Unsqueeze', inputs: ['bias', 'axis'], outputs: ['biases'] },
      { operator: 'Add', inputs: ['scores', 'biases'], outputs: ['masked'] },
      { operator: 'Softmax', inputs: ['masked'], outputs: ['attention'], attributes: { axis: -1 } },
      { operator: 'MatMul', inputs: ['attention', 'x'], outputs: ['mixed'] },
      { operator: 'Add', inputs: ['x', 'mixed'], outputs: ['sum'] },
      {
        operator: 'LayerNormalization',
        inputs: ['sum', 'scale'],
        outputs: [classes === undefined ? 'last_hidden_state' : 'normed'],
        attributes: { axis: -1 },
      },
      ...head,
    ],
  })
}

function classifierHead() {
  return [
    { operator: 'Gather', inputs: ['normed', 'first'], outputs: ['cls'], attributes: { axis: 1 } },
    { operator: 'MatMul', inputs: ['cls', 'head'], outputs: ['logits'] },
  ]
}

const added = SPECIAL.map((content, id) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
}))

const template = {
  type: 'TemplateProcessing',
  single: [
    { SpecialToken: { id: '[CLS]', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '[SEP]', type_id: 0 } },
  ],
  pair: [],
  special_tokens: {
    '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
    '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
  },
}

const common = { version: '1.0', truncation: null, padding: null, added_tokens: added, post_processor: template }
const ids = (tokens: readonly string[]) => Object.fromEntries(tokens.map((token, id) => [token, id]))

/** One tokenizer of each family, all with the special tokens at 0 to 3. */
export const TOKENIZERS: Record<string, object> = {
  WordPiece: {
    ...common,
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: ids(VOCABULARY),
    },
  },
  BPE: {
    ...common,
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '[UNK]',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      vocab: ids([...SPECIAL, 'p', 'a', 'y', 'pa', 'pay', 'Ġ', 's']),
      merges: [
        ['p', 'a'],
        ['pa', 'y'],
      ],
    },
  },
  Unigram: {
    ...common,
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: {
      type: 'Unigram',
      unk_id: 1,
      vocab: [
        ...SPECIAL.map((token) => [token, 0]),
        ['▁pay', -1],
        ['▁', -3],
        ['s', -2],
        ['p', -5],
        ['a', -5],
        ['y', -5],
      ],
      byte_fallback: false,
    },
  },
}

/** tokenizer.json and onnx/model.onnx, with the configuration files that usually lie beside them. */
export function huggingFaceFolder(folder: string, labels?: readonly string[]): void {
  const files: Record<string, string | Buffer> = {
    'onnx/model.onnx': transformer(labels?.length),
    'tokenizer.json': JSON.stringify(TOKENIZERS.WordPiece),
    'tokenizer_config.json': JSON.stringify({
      tokenizer_class: 'BertTokenizer',
      pad_token: '[PAD]',
      model_max_length: 32,
    }),
    'config.json': JSON.stringify({
      architectures: [labels === undefined ? 'BertModel' : 'BertForSequenceClassification'],
      max_position_embeddings: 64,
      ...(labels === undefined ? {} : { id2label: Object.fromEntries(labels.entries()) }),
    }),
  }
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), content)
  }
}
