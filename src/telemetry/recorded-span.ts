// A span while it goes on, as OpenTelemetry's API sees it.
import type {
  Attributes,
  AttributeValue,
  Exception,
  Link,
  Span,
  SpanContext,
  SpanStatus,
  TimeInput,
} from '@opentelemetry/api'
import type { EndedSpan } from './otlp.ts'
import type { SpanSink, StartOptions } from './recorder.ts'

/** A text that is longer is cut: an attribute is for finding a span, not for keeping what it worked on. */
const MAX_TEXT = 1_024
/** Of a span; what is more is left out. */
const MAX_EVENTS = 128
/** Set after its beginning. */
const MAX_ATTRIBUTES = 128

export class RecordedSpan implements Span, EndedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly parentId: string | undefined
  readonly parentIsRemote: boolean
  readonly kind: number
  readonly startedAt: number
  readonly attributes: Attributes
  readonly events: EndedSpan['events'] = []
  readonly links: Link[]
  name: string
  endedAt = 0
  status: SpanStatus = { code: 0 }
  readonly #sink: SpanSink
  readonly #context: SpanContext
  #set = 0

  constructor(
    sink: SpanSink,
    own: SpanContext,
    name: string,
    { kind = 0, attributes = {}, links = [], startTime }: StartOptions,
    parent: SpanContext | undefined,
  ) {
    this.#sink = sink
    this.#context = own
    this.traceId = own.traceId
    this.spanId = own.spanId
    this.traceFlags = own.traceFlags
    this.parentId = parent?.spanId
    this.parentIsRemote = parent?.isRemote === true
    this.name = name
    this.kind = kind
    this.attributes = attributes
    this.links = links
    this.startedAt = startTime === undefined ? now() : milliseconds(startTime)
  }

  spanContext(): SpanContext {
    return this.#context
  }

  isRecording(): boolean {
    return this.endedAt === 0
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (++this.#set > MAX_ATTRIBUTES) return this
    this.attributes[key] = typeof value === 'string' ? shortened(value) : value
    return this
  }

  setAttributes(attributes: Attributes): this {
    for (const key in attributes) if (attributes[key] !== undefined) this.setAttribute(key, attributes[key])
    return this
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.events.length >= MAX_EVENTS) return this
    const isTime = attributesOrTime instanceof Date || Array.isArray(attributesOrTime)
    const hasTime = isTime || typeof attributesOrTime === 'number'
    const at = hasTime ? (attributesOrTime as TimeInput) : time
    const attributes = hasTime ? {} : ((attributesOrTime as Attributes | undefined) ?? {})
    this.events.push({ name, at: at === undefined ? now() : milliseconds(at), attributes })
    return this
  }

  addLink(link: Link): this {
    if (this.links.length < MAX_EVENTS) this.links.push(link)
    return this
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link)
    return this
  }

  setStatus({ code, message }: SpanStatus): this {
    this.status = message === undefined ? { code } : { code, message: shortened(message) }
    return this
  }

  updateName(name: string): this {
    this.name = name
    return this
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const { name = 'Error', message = '' } = typeof exception === 'string' ? { message: exception } : exception
    this.addEvent('exception', { 'exception.type': name, 'exception.message': shortened(message) }, time)
  }

  end(endTime?: TimeInput): void {
    if (this.endedAt !== 0) return
    this.endedAt = Math.max(this.startedAt, endTime === undefined ? now() : milliseconds(endTime))
    this.#sink.ended(this)
  }
}

/** Of a trace that is not kept: it passes the decision on, and nothing else. */
export class UnrecordedSpan implements Span {
  readonly #context: SpanContext

  constructor(context: SpanContext) {
    this.#context = context
  }

  spanContext(): SpanContext {
    return this.#context
  }
  isRecording(): boolean {
    return false
  }
  setAttribute(): this {
    return this
  }
  setAttributes(): this {
    return this
  }
  addEvent(): this {
    return this
  }
  addLink(): this {
    return this
  }
  addLinks(): this {
    return this
  }
  setStatus(): this {
    return this
  }
  updateName(): this {
    return this
  }
  recordException(): void {}
  end(): void {}
}

/** Milliseconds of the epoch with fractions; the difference of two is not disturbed when the clock is set. */
export function now(): number {
  return offset + performance.now()
}

let offset = performance.timeOrigin

/** A process's clock and the world's drift apart over days, and jump when the machine sleeps: called once in a while. */
export function followClock(): void {
  const real = Date.now() - performance.now()
  // Date has whole milliseconds; following each of them would only shake.
  if (Math.abs(real - offset) > 5) offset = real
}

function milliseconds(time: TimeInput): number {
  if (time instanceof Date) return time.getTime()
  if (typeof time !== 'number') return time[0] * 1_000 + time[1] / 1e6
  // Small numbers are performance.now()'s.
  return time < performance.timeOrigin ? offset + time : time
}

function shortened(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}
