// What Node's server would answer itself, in its own words: what is no HTTP, comes too slowly, expects what nobody can do, or
// takes us for a proxy. It never becomes a request of the application, so the problem is written as it is.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TroupeError } from '../contract/errors.ts'
import { PROBLEM_TYPE, problemOf } from './problem.ts'

export function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  // Nobody is there any more, or an answer has begun: another one would only garble it.
  if (error.code === 'ECONNRESET' || !socket.writable || answerHasBegun(socket)) {
    socket.destroy()
    return
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const refusal = new TroupeError('request_too_slow', 'The request did not come in time.')
    writeProblem(socket, '408 Request Timeout', refusal)
    return
  }
  const line = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
  writeProblem(socket, line, new TroupeError('invalid_request', `The request cannot be read: ${line.slice(4)}.`))
}

export function refuseUnservable(server: Server): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const expected = JSON.stringify(String(request.headers.expect).slice(0, 100))
    const refusal = new TroupeError('invalid_request', `Expect: ${expected} is not offered; only 100-continue is.`)
    const { body, headers } = written(417, refusal)
    response.writeHead(417, headers).end(body)
  })
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    const refusal = new TroupeError('method_not_allowed', 'CONNECT is not taken: this is no proxy.')
    writeProblem(socket, '405 Method Not Allowed', refusal)
  })
}

/** On this connection there may have been other answers before; what counts is the one that is due. */
function answerHasBegun(socket: Socket): boolean {
  // Node keeps it there, and asks it the same before it answers by itself.
  return (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage?.headersSent === true
}

function written(status: number, refusal: TroupeError) {
  const body = JSON.stringify({ ...problemOf(refusal, 'none'), status })
  return {
    body,
    headers: { 'content-type': PROBLEM_TYPE, 'content-length': Buffer.byteLength(body), connection: 'close' },
  }
}

function writeProblem(socket: Duplex, line: string, refusal: TroupeError): void {
  const { body, headers } = written(Number(line.slice(0, 3)), refusal)
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${line}\r\n${fields.join('')}\r\n${body}`)
}
