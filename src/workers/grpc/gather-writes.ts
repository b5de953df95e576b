// grpc-js writes a stream's messages one after another, each when the socket has taken the one before: an answer each
// costs a system call and a turn of the event loop. Answers of one batch are ready at once, so they are handed on
// together, and HTTP/2 sends them together. Only Node's own contract of streams is used: whoever has `_write` may be given
// `_writev`, which is called with all that gathered meanwhile.
import type { Writable } from 'node:stream'

type Done = (error?: Error | null) => void

export function gatherWrites(stream: Writable): void {
  stream._writev = (chunks, done) => {
    let left = chunks.length
    let failure: Error | null | undefined
    const one: Done = (error) => {
      failure ??= error
      if (--left === 0) done(failure)
    }
    for (const { chunk, encoding } of chunks) stream._write(chunk, encoding, one)
  }
}
