// A stream of messages each way as a hot method sees it: plain listeners and bytes, no turn of the event loop and no
// promise for each message. Two things carry it: HTTP/2 directly (direct-stream.ts), and grpc-js for what that leaves.
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { gatherWrites } from './gather-writes.ts'

export interface MessageStream<Request, Response> {
  /** `memory` holds the request's bytes: give it back when nothing looks at them any more, and others will be read into it. */
  onMessage(listener: (request: Request, memory: ArrayBuffer | undefined) => void): void
  giveBack(memory: ArrayBuffer | undefined): void
  /** The caller sends no more. */
  onEnd(listener: () => void): void
  /** The caller reads again, after a `send` that said it does not. */
  onDrain(listener: () => void): void
  /** False while the caller does not read what it was sent. */
  send(response: Response): boolean
  readonly needsDrain: boolean
  pause(): void
  resume(): void
  readonly paused: boolean
}

export function overGrpcJs<Request, Response>(
  rpc: ServerDuplexStream<Request, Response>,
): MessageStream<Request, Response> {
  gatherWrites(rpc)
  return {
    onMessage: (listener) => void rpc.on('data', (request: Request) => listener(request, undefined)),
    giveBack() {},
    onEnd: (listener) => void rpc.once('end', listener),
    onDrain: (listener) => void rpc.on('drain', listener),
    send: (response) => rpc.write(response),
    get needsDrain() {
      return rpc.writableNeedDrain
    },
    pause: () => void rpc.pause(),
    resume: () => void rpc.resume(),
    get paused() {
      return rpc.isPaused()
    },
  }
}
