// What we use of a WebSocket. The library's own types live in a package that is not installed, and these few lines say
// more than it would.
export interface Socket {
  readonly OPEN: number
  readonly readyState: number
  /** Bytes that were given to `send` and have not left yet. */
  readonly bufferedAmount: number
  /** `sent` is called when the bytes have left, or with an error when they cannot. */
  send(text: string, sent: (error?: Error) => void): void
  ping(): void
  close(code: number, reason: string): void
  /** Cuts the connection without a closing handshake. */
  terminate(): void
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void
  on(event: 'pong' | 'close' | 'error', listener: () => void): void
  once(event: 'close', listener: () => void): void
}

/** The connection below it, to gather what is sent. */
export interface Wire {
  cork(): void
  uncork(): void
}

/** What is sent in one turn of the event loop leaves in one system call; each costs more than the message. Call before sending. */
export function gatherSends(wire: Wire): () => void {
  let corked = false
  return () => {
    if (corked) return
    corked = true
    wire.cork()
    process.nextTick(() => {
      corked = false
      wire.uncork()
    })
  }
}
