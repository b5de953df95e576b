// What the code of an agent is given: the step's context. Everything that touches the world goes through it, so that
// it can be aborted, traced, paid for, and replaced in a test.
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import type { Budget, Usage } from '../contract/task.ts'
import type { ToolContext } from './tool.ts'

export interface StepContext {
  readonly task: TaskView
  readonly stepId: string
  /** The same on every attempt of this step (P3): give it to whatever can de-duplicate. */
  readonly idempotencyKey: string
  /** 1 for the first try. */
  readonly attempt: number
  /** Aborted by cancel, deadline, timeout, a state that was left, or a drain. Pass it to everything that waits. */
  readonly signal: AbortSignal
  readonly log: Log
  /** Progress for whoever follows the task; coalesced, so call it as often as you like. */
  progress(report: { fraction?: number; message?: string; data?: unknown }): void
  /** A piece of streamed text. */
  token(text: string): void
  readonly documents: Documents
  readonly inference: Inference
  readonly retrieval: Retrieval
  readonly llm: Llm
  /** Databases that the operator named; a task knows their names, never their credentials. */
  readonly sources: Sources
  /** Files at the addresses that the operator allows; none without that. */
  readonly web: Web
  /** Calls a tool under this step's signal, with a span of its own. */
  tool<Output>(tool: CallableTool<Output>, input: unknown): Promise<Output>
  /** Adds to what the task has spent; over its budget the step fails with `budget_exceeded`. */
  spend(usage: Partial<Usage>): void
}

/** Any tool, whatever its input's type: `call` checks the input itself. */
export interface CallableTool<Output> {
  readonly name: string
  call(input: unknown, context: ToolContext): Promise<Output>
}

export interface TaskView {
  readonly id: string
  readonly tenant: string
  readonly agent: string
  readonly parentId?: string
  readonly deadline?: number
  readonly budget?: Budget
  readonly metadata: Readonly<Record<string, string>>
}

export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

export interface DocumentInfo {
  id: string
  name: string
  mime: string
  bytes: number
  sha256: string
}

export interface Documents {
  info(id: string): Promise<DocumentInfo>
  read(id: string): Promise<Uint8Array>
  put(document: { name: string; mime: string; content: Uint8Array }): Promise<DocumentInfo>
}

export interface Classification {
  label: string
  /** Calibrated: of answers given with 0.8, about 80 % are right. */
  confidence: number
  scores: Record<string, number>
}

export interface Inference {
  /** Is the worker configured and reachable? An agent without it must use its offline path. */
  available(): Promise<boolean>
  classify(model: string, texts: string[]): Promise<Classification[]>
  embed(model: string, texts: string[]): Promise<Float32Array[]>
}

export interface PassageDraft {
  documentId: string
  text: string
  title?: string
  metadata?: Record<string, string | number | boolean>
}

export interface Passage {
  documentId: string
  passageId: string
  text: string
  /** Where the passage stands in its document, in UTF-16 units. */
  start: number
  end: number
  score: number
  metadata: Record<string, string | number | boolean>
  highlights: { start: number; end: number }[]
}

export interface SearchOptions {
  limit?: number
  mode?: 'hybrid' | 'lexical' | 'vector'
  filter?: Record<string, string | number | boolean>
}

export interface Retrieval {
  available(): Promise<boolean>
  upsert(collection: string, documents: PassageDraft[]): Promise<{ passages: number }>
  search(collection: string, query: string, options?: SearchOptions): Promise<Passage[]>
  remove(collection: string, documentIds: string[]): Promise<void>
}

export interface Llm {
  readonly configured: boolean
  /** A LangChain chat model, metered against the task's budget. Throws `llm_not_configured`. */
  chat(options?: { temperature?: number; maxTokens?: number }): Promise<BaseChatModel>
}

export interface Sources {
  /**
   * One SELECT, read-only. Anything else is `query_refused`; more than the source's limit of time, rows or bytes is
   * `limit_exceeded`; a name that this tenant may not use is `not_found`.
   */
  query(source: string, sql: string): Promise<SourceRows>
}

export interface SourceRows {
  columns: string[]
  /** Dates and times as ISO text, numbers as numbers while they fit. */
  rows: Record<string, string | number | boolean | null>[]
}

export interface Web {
  /** Reads a file. An address that is not allowed, or that leads to one that is not, is `address_refused`. */
  read(url: string): Promise<WebFile>
}

export interface WebFile {
  /** Where it was found, after redirects. */
  url: string
  name: string
  mime: string
  content: Uint8Array
}
