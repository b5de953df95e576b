// A TroupeError travels as a gRPC status: the nearest status code, its message, and its own stable code in the trailer
// `troupe-code`, from which the other side makes the same TroupeError again.
import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js'
import { ERROR_CODES, type ErrorCode, TroupeError, toTroupeError } from '../../contract/errors.ts'

export const CODE_TRAILER = 'troupe-code'

const OVERLOADED_PAUSE_MS = '200'

// Trailers share one header block with a limit of some kilobytes; a longer message would lose the whole status.
const MAX_MESSAGE = 1_000

const STATUS_OF_HTTP: Record<number, status> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.FAILED_PRECONDITION,
  413: status.INVALID_ARGUMENT,
  422: status.INVALID_ARGUMENT,
  429: status.RESOURCE_EXHAUSTED,
  499: status.CANCELLED,
  501: status.UNIMPLEMENTED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
}

const STATUS_OF_CODE: Partial<Record<ErrorCode, status>> = {
  overloaded: status.RESOURCE_EXHAUSTED,
  // The file is wrong, not the request for it.
  model_invalid: status.FAILED_PRECONDITION,
}

const CODE_OF_STATUS: Partial<Record<status, ErrorCode>> = {
  // Whoever cancels a call himself no longer listens: it was the worker, which is being stopped.
  [status.CANCELLED]: 'worker_unavailable',
  [status.INVALID_ARGUMENT]: 'invalid_request',
  [status.DEADLINE_EXCEEDED]: 'deadline_exceeded',
  [status.PERMISSION_DENIED]: 'forbidden',
  [status.RESOURCE_EXHAUSTED]: 'overloaded',
  [status.UNAUTHENTICATED]: 'unauthenticated',
  [status.UNAVAILABLE]: 'worker_unavailable',
}

export function grpcStatusOf(code: ErrorCode): status {
  return STATUS_OF_CODE[code] ?? STATUS_OF_HTTP[ERROR_CODES[code][0]] ?? status.INTERNAL
}

/** What a handler threw, as a status that is safe to send: well-formed, short, with its code. */
export function toGrpcStatus(thrown: unknown): StatusObject {
  const error = toTroupeError(thrown)
  const metadata = new Metadata()
  metadata.set(CODE_TRAILER, error.code)
  // gRPC's own word for it: clients that retry by themselves wait this long.
  if (error.code === 'overloaded') metadata.set('grpc-retry-pushback-ms', OVERLOADED_PAUSE_MS)
  return { code: grpcStatusOf(error.code), details: statusMessage(error), metadata }
}

/** grpc-js percent-encodes the message with encodeURI, which throws on half a surrogate pair: echo no input as it came. */
export function statusMessage(error: Error): string {
  const message = error.message.toWellFormed()
  return message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE).toWellFormed()} …` : message
}

/**
 * What a call failed with, on the client's side. Servers of other people send no `troupe-code`; their status decides, and
 * the caller says what it was that they have not.
 */
export function fromGrpcError(error: ServiceError, what: string, missing: ErrorCode = 'not_found'): TroupeError {
  const sent = error.metadata?.get(CODE_TRAILER)[0]
  const told = error.code === status.NOT_FOUND ? missing : (CODE_OF_STATUS[error.code] ?? 'internal')
  const code = isErrorCode(sent) ? sent : told
  return new TroupeError(code, `${what}: ${error.details || error.message}`, { detail: { grpc: status[error.code] } })
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value)
}
