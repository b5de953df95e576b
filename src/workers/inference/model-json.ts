// model.json lies beside model.onnx and says what the file cannot: how text becomes its inputs, what its outputs mean,
// where it came from. `troupe train` writes it; a person may write it; a bare model.onnx of tensors does without.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { TroupeError } from '../../contract/errors.ts'

export const DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'BF16',
  'FP32',
  'FP64',
  'BYTES',
] as const
export type Datatype = (typeof DATATYPES)[number]

const tensor = z.object({
  name: z.string().min(1).max(200),
  datatype: z.enum(DATATYPES),
  /** -1 where each request chooses; the first is the batch. */
  shape: z.array(z.int().min(-1)).max(8),
})
export type TensorSpec = z.infer<typeof tensor>

/** How one number was distributed in training: `shares[i]` of it lay up to `bounds[i]`, the last above all bounds. */
const distribution = z
  .object({
    /**
     * `text.characters` and `text.terms` (features or tokens that are known) of a text model; `input[3]` for column 3 of
     * input `input` of a tensor model.
     */
    name: z.string().max(200),
    bounds: z.array(z.number()).min(1).max(100),
    shares: z.array(z.number().min(0).max(1)).min(2).max(101),
  })
  .refine(({ bounds, shares }) => shares.length === bounds.length + 1, 'shares must be one more than bounds')
export type Distribution = z.infer<typeof distribution>

const profile = z.object({
  features: z.array(distribution).max(500).default([]),
  /** Share of each predicted class, in the order of `labels`. */
  classes: z.array(z.number().min(0).max(1)).max(100_000).optional(),
})
export type Profile = z.infer<typeof profile>

/** A file inside the model's own folder. Anything that could lead out of it is refused. */
const fileName = z
  .string()
  .max(200)
  .regex(/^(?!.*(?:^|\/)\.)[\w.-]+(?:\/[\w.-]+)*$/, 'must be a file inside the model’s folder')

export const modelJsonSchema = z.object({
  /**
   * tensor: what the ONNX file says. text-classifier: `text` → `label`, `probabilities`. text-embedder: `text` →
   * `embedding`.
   */
  kind: z.enum(['tensor', 'text-classifier', 'text-embedder']),
  description: z.string().max(2_000).optional(),
  file: fileName.default('model.onnx'),
  /** Of the ONNX file, lower-case hex. A file with another hash is not loaded. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  /** Shown to clients; for a tensor model the ONNX file's own are used when these are absent. */
  inputs: z.array(tensor).max(100).optional(),
  outputs: z.array(tensor).max(100).optional(),
  /** Classes by output column. */
  labels: z.array(z.string().max(500)).max(100_000).optional(),
  /** Configuration of the trainer's featuriser; the model then takes `indices` and `values`, or a dense `features`. */
  featuriser: z.looseObject({ kind: z.string() }).optional(),
  /** A Hugging Face tokenizer; the model then takes `input_ids`, `attention_mask` and perhaps `token_type_ids`. */
  tokenizer: z
    .object({
      file: fileName.default('tokenizer.json'),
      config: fileName.optional(),
      /** Tokens read of a text; what follows is ignored. */
      maxTokens: z.int().min(2).max(32_768).default(512),
    })
    .optional(),
  /** Which output of the ONNX file carries the result; by default the one with a usual name, else the first. */
  output: z.string().max(200).optional(),
  /** From token vectors to one vector; `none` when the model's output already is one row a text. */
  pooling: z.enum(['mean', 'cls', 'max', 'last', 'none']).optional(),
  /** Scale embeddings to length 1. */
  normalise: z.boolean().optional(),
  /** From the model's output to probabilities; `none` when it already gives them. */
  activation: z.enum(['none', 'softmax', 'sigmoid']).optional(),
  batching: z
    .object({
      /** Rows that one run takes at most. 1 switches batching off. */
      maxRows: z.int().min(1).max(65_536).optional(),
      /** How long a request may wait for company while the model is busy or others are arriving. 0: never. */
      maxDelayMs: z.number().min(0).max(10_000).optional(),
      /** Rows that wait before requests are refused with RESOURCE_EXHAUSTED. */
      maxQueueRows: z.int().min(1).max(10_000_000).optional(),
    })
    .optional(),
  /** Copies that run at once. */
  instances: z.int().min(1).max(64).optional(),
  /** Data hash, command, seed, parent version: whatever reproduces the file. */
  lineage: z.record(z.string(), z.unknown()).optional(),
  /** Accuracy, macro-F1, confusion matrix … as measured in training. */
  metrics: z.record(z.string(), z.unknown()).optional(),
  /** What training saw; drift is measured against it. */
  profile: profile.optional(),
})

/** As written in the file (defaults may be absent). */
export type ModelJsonInput = z.input<typeof modelJsonSchema>
/** As read. */
export type ModelJson = z.infer<typeof modelJsonSchema>

export function parseModelJson(text: string, where: string): ModelJson {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new TroupeError('model_invalid', `${where} is not JSON: ${(cause as Error).message}`, { cause })
  }
  const parsed = modelJsonSchema.safeParse(value)
  if (!parsed.success) throw new TroupeError('model_invalid', `${where}: ${z.prettifyError(parsed.error)}`)
  const model = parsed.data
  if (model.kind !== 'tensor' && (model.featuriser === undefined) === (model.tokenizer === undefined)) {
    throw new TroupeError('model_invalid', `${where}: a ${model.kind} needs either featuriser or tokenizer`)
  }
  if (model.kind === 'text-classifier' && model.labels === undefined) {
    throw new TroupeError('model_invalid', `${where}: a text-classifier needs labels`)
  }
  return model
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
