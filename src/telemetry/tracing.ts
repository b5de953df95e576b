// Spans as Troupe's rooms open them. Context crosses processes as a W3C traceparent: in HTTP and gRPC headers and in
// the journal, and from there in each offer. Without a collector each of these costs one comparison.
import { type Context, context, type Link, type Span, type SpanContext, SpanKind, trace } from '@opentelemetry/api'
import { parseTraceparent, traceparentOf } from './identity.ts'
import { describe, type SpanDescription } from './otlp.ts'
import { failSpan, recording, type StartOptions } from './recording.ts'

export type SpanAttributes = Record<string, string | number | boolean | string[]>

export interface SpanOptions {
  attributes?: SpanAttributes
  /** The span this one belongs under, from another process or another time. Absent: the active one. */
  parent?: string | undefined
  /** Another span of the same story that is not the parent: its id in the parent's trace. */
  linked?: string | undefined
  kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  /** Milliseconds of the epoch; absent: now. */
  startedAt?: number
  /** Only for a span that other processes must be able to name (identity.ts). */
  spanId?: string
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const

export interface OpenSpan {
  /** Absent while nothing is recorded. */
  readonly traceparent: string | undefined
  /** False when its trace is not kept: what is only worked out for the trace need not be. */
  readonly isRecording: boolean
  /** Runs work inside the span: spans begun there are its children. */
  within<Result>(work: () => Result): Result
  /** A span below this one, without making this one active. */
  child(name: string, options?: SpanOptions): OpenSpan
  set(attributes: SpanAttributes): void
  event(name: string, attributes?: SpanAttributes): void
  fail(error: unknown): void
  /** `at`: milliseconds of the epoch; absent: now. */
  end(error?: unknown, at?: number): void
}

const NOTHING: OpenSpan = {
  traceparent: undefined,
  isRecording: false,
  within: (work) => work(),
  child: () => NOTHING,
  set() {},
  event() {},
  fail() {},
  end() {},
}

/** Runs work in a span of its own; the span ends with the work and carries its error. */
export async function span<Result>(
  name: string,
  options: SpanOptions,
  work: (traceparent: string | undefined, opened: OpenSpan) => Promise<Result>,
): Promise<Result> {
  const opened = startSpan(name, options)
  try {
    const result = await opened.within(() => work(opened.traceparent ?? options.parent, opened))
    opened.end()
    return result
  } catch (error) {
    opened.end(error)
    throw error
  }
}

export function startSpan(name: string, options: SpanOptions): OpenSpan {
  const started = recording()
  if (started === undefined) return NOTHING
  const around = context.active()
  const parent = options.parent === undefined ? trace.getSpanContext(around) : parseTraceparent(options.parent)
  return new ActiveSpan(started.begin(name, startOptions(options, parent), parent), around)
}

function startOptions(options: SpanOptions, parent: SpanContext | undefined): StartOptions {
  const { attributes = {}, kind = 'internal', spanId, startedAt, linked } = options
  const started: StartOptions = { attributes, kind: KINDS[kind], spanId }
  if (startedAt !== undefined) started.startTime = startedAt
  if (linked !== undefined && parent !== undefined) started.links = [linkIn(parent, linked)]
  return started
}

export function describeSpans(
  name: string,
  kind: NonNullable<SpanOptions['kind']>,
  attributes: SpanAttributes,
): SpanDescription {
  return describe(name, KINDS[kind], attributes)
}

/** `attributes`: what its description does not say. */
export interface OverOptions extends Pick<SpanOptions, 'parent' | 'linked' | 'attributes'> {
  /** Its id is derived from this (identity.ts). */
  story: string
  startedAt: number
  endedAt: number
  error?: unknown
}

/** A span that was over before anybody spoke of it. */
export function tellSpan(description: SpanDescription, over: OverOptions): void {
  const started = recording()
  if (started === undefined) return
  const { attributes = {}, story, startedAt, endedAt, linked, error } = over
  const parent = over.parent === undefined ? undefined : parseTraceparent(over.parent)
  started.tell(description, {
    parent,
    story,
    linked: parent === undefined ? undefined : linked,
    startedAt,
    endedAt,
    attributes,
    errorType: error === undefined ? undefined : typeOf(error),
  })
}

function linkIn(parent: SpanContext, spanId: string): Link {
  return { context: { ...parent, spanId } }
}

class ActiveSpan implements OpenSpan {
  readonly #span: Span
  readonly #around: Context
  #inside: Context | undefined

  constructor(opened: Span, around: Context) {
    this.#span = opened
    this.#around = around
  }

  get traceparent(): string | undefined {
    return traceparentOf(this.#span.spanContext())
  }

  get isRecording(): boolean {
    return this.#span.isRecording()
  }

  within<Result>(work: () => Result): Result {
    this.#inside ??= trace.setSpan(this.#around, this.#span)
    return context.with(this.#inside, work)
  }

  child(name: string, options: SpanOptions = {}): OpenSpan {
    const started = recording()
    if (started === undefined) return NOTHING
    const parent = this.#span.spanContext()
    return new ActiveSpan(started.begin(name, startOptions(options, parent), parent), this.#around)
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes)
  }

  event(name: string, attributes: SpanAttributes = {}): void {
    this.#span.addEvent(name, attributes)
  }

  fail(error: unknown): void {
    failSpan(this.#span, typeOf(error))
  }

  end(error?: unknown, at?: number): void {
    if (error !== undefined) this.fail(error)
    this.#span.end(at)
  }
}

/** Of the span that is active here, for whoever calls another process. */
export function currentTraceparent(): string | undefined {
  const active = trace.getActiveSpan()
  return active === undefined ? undefined : traceparentOf(active.spanContext())
}

/** Ours and Node's errors have a code. */
function typeOf(error: unknown): string {
  const { code, name } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown
    name?: unknown
  }
  if (typeof code === 'string') return code
  return typeof name === 'string' ? name : 'exception'
}
