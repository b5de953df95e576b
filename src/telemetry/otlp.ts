// Spans as OTLP protobuf (opentelemetry-proto, trace.proto), written as soon as they have ended: nothing of a span is kept
// as an object. The numbers are the fields' numbers there.
import {
  type Attributes,
  type AttributeValue,
  type SpanContext,
  type SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api'
import type { tracing } from '@opentelemetry/sdk-node'
import { derivedWords, SAMPLED } from './identity.ts'
import { lengthHead, Writer } from './protobuf.ts'

/** Of an ended span of the SDK, what is written. */
export type EndedSpan = Pick<
  tracing.ReadableSpan,
  | 'name'
  | 'kind'
  | 'spanContext'
  | 'parentSpanContext'
  | 'startTime'
  | 'endTime'
  | 'attributes'
  | 'events'
  | 'links'
  | 'status'
>

/** From 128 bytes to 16 KiB. */
const SPAN_LENGTH_BYTES = 2

/** Appends `ScopeSpans.spans = 2`. */
export function writeSpan(writer: Writer, span: EndedSpan): void {
  const start = writer.open(2, SPAN_LENGTH_BYTES)
  const { traceId, spanId, traceFlags } = span.spanContext()
  const parent = span.parentSpanContext
  writer.hex(1, traceId)
  writer.hex(2, spanId)
  if (parent !== undefined) writer.hex(4, parent.spanId)
  writeNameAndKind(writer, span.name, span.kind)
  writer.time(7, span.startTime)
  writer.time(8, span.endTime)
  writeAttributes(writer, 9, span.attributes)
  // Most have none of these; an iterator over nothing costs more than a look.
  if (span.events.length > 0) writeEvents(writer, span.events)
  if (span.links.length > 0) writeLinks(writer, span.links)
  if (span.status.code !== 0) {
    const { code, message } = span.status
    const status = writer.open(15)
    if (message !== undefined && message !== '') writer.text(2, message)
    writer.number(3, code)
    writer.close(status)
  }
  writer.fixed32(16, flagsOf(traceFlags, parent?.isRemote === true))
  writer.close(start, SPAN_LENGTH_BYTES)
}

/** What many spans have in common: made once, and not looked at for each of them. */
export interface SpanDescription {
  readonly name: string
  readonly kind: SpanKind
  /** Name, kind and attributes, as they stand in each of them. */
  readonly bytes: Uint8Array
}

/** A span that was over before anybody spoke of it. */
export interface OverSpan {
  traceId: string
  /** Its id is derived from this (identity.ts). */
  story: string
  parent: SpanContext | undefined
  /** Another span of its trace. */
  linked: string | undefined
  /** Milliseconds of the epoch. */
  startedAt: number
  endedAt: number
  /** Those that its description does not say. */
  attributes: Attributes
  errorType: string | undefined
}

/** The bytes that `writeSpan` would write if the SDK had made it. */
export function writeOverSpan(writer: Writer, description: SpanDescription, over: OverSpan): void {
  const { traceId, parent, linked, errorType } = over
  const start = writer.open(2, SPAN_LENGTH_BYTES)
  writer.hex(1, traceId)
  writer.words(2, derivedWords(over.story))
  if (parent !== undefined) writer.hex(4, parent.spanId)
  writer.raw(description.bytes)
  writer.milliseconds(7, over.startedAt)
  writer.milliseconds(8, over.endedAt)
  writeAttributes(writer, 9, over.attributes)
  if (errorType !== undefined) writeAttributes(writer, 9, { 'error.type': errorType })
  const isRemote = parent?.isRemote === true
  if (linked !== undefined) {
    const link = writer.open(13)
    writer.hex(1, traceId)
    writer.hex(2, linked)
    writer.fixed32(6, flagsOf(parent?.traceFlags ?? SAMPLED, isRemote))
    writer.close(link)
  }
  if (errorType !== undefined) writer.message(15, (status) => status.number(3, SpanStatusCode.ERROR))
  writer.fixed32(16, flagsOf(SAMPLED, isRemote))
  writer.close(start, SPAN_LENGTH_BYTES)
}

function writeEvents(writer: Writer, events: EndedSpan['events']): void {
  for (const { name, time, attributes = {} } of events) {
    const event = writer.open(11)
    writer.time(1, time)
    writer.text(2, name)
    writeAttributes(writer, 3, attributes)
    writer.close(event)
  }
}

function writeLinks(writer: Writer, links: EndedSpan['links']): void {
  for (const { context, attributes = {} } of links) {
    const link = writer.open(13)
    writer.hex(1, context.traceId)
    writer.hex(2, context.spanId)
    writeAttributes(writer, 4, attributes)
    writer.fixed32(6, flagsOf(context.traceFlags, context.isRemote === true))
    writer.close(link)
  }
}

export function describe(name: string, kind: SpanKind, attributes: Attributes): SpanDescription {
  const writer = new Writer()
  writeNameAndKind(writer, name, kind)
  writeAttributes(writer, 9, attributes)
  return { name, kind, bytes: Uint8Array.from(writer.take()) }
}

/** Of the API's kinds the first is 0; of the protocol's, 1. */
function writeNameAndKind(writer: Writer, name: string, kind: number): void {
  writer.text(5, name)
  writer.number(6, kind + 1)
}

/** The whole request around the spans of one scope: what comes before them. */
export function requestHead(resource: Attributes, scope: string, spanBytes: number): Buffer {
  const described = new Writer()
  described.message(1, (writer) => writeAttributes(writer, 1, resource))
  const resourceBytes = described.take()
  described.message(1, (writer) => writer.text(1, scope))
  const scopeBytes = described.take()
  const scopeSpans = scopeBytes.length + spanBytes
  const resourceSpans = resourceBytes.length + lengthHead(2, scopeSpans).length + scopeSpans
  return Buffer.concat([lengthHead(1, resourceSpans), resourceBytes, lengthHead(2, scopeSpans), scopeBytes])
}

/** Trace flags, and whether the parent was in another process (`HAS_IS_REMOTE`, `IS_REMOTE`). */
function flagsOf(traceFlags: number, isRemote: boolean): number {
  return (traceFlags & 0xff) | 0x100 | (isRemote ? 0x200 : 0)
}

function writeAttributes(writer: Writer, field: number, attributes: Attributes): void {
  for (const key in attributes) {
    const value = attributes[key]
    if (value === undefined) continue
    const entry = writer.open(field)
    writer.text(1, key)
    const any = writer.open(2)
    writeValue(writer, value)
    writer.close(any)
    writer.close(entry)
  }
}

function writeValue(writer: Writer, value: AttributeValue | null | undefined): void {
  if (typeof value === 'string') writer.text(1, value)
  else if (typeof value === 'boolean') writer.number(2, value ? 1 : 0)
  else if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) writer.integer(3, value)
    else writer.double(4, value)
  } else if (Array.isArray(value)) {
    const list = writer.open(5)
    for (const entry of value) writer.message(1, () => writeValue(writer, entry))
    writer.close(list)
  }
}
