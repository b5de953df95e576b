// What arrives and is no HTTP, or too slow, never becomes a request: the answer is written to the socket as it is.
import type { Socket } from 'node:net'
import { TroupeError } from '../contract/errors.ts'
import { PROBLEM_TYPE, problemOf } from './problem.ts'

const STATUS_LINES: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

export function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  // Nobody is there any more, or an answer has begun: another one would only garble it.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy()
    return
  }
  const line = STATUS_LINES[error.code ?? ''] ?? '400 Bad Request'
  const refusal = new TroupeError('invalid_request', `The request cannot be read: ${line.slice(4)}.`)
  const body = JSON.stringify({ ...problemOf(refusal, 'none'), status: Number(line.slice(0, 3)) })
  const length = Buffer.byteLength(body)
  socket.end(
    `HTTP/1.1 ${line}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`,
  )
}
