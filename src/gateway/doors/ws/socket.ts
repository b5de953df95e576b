// What we use of the WebSocket library, and how messages leave. The library's own types live in a package that is not
// installed, and these few lines say more than it would.
export interface Socket {
  readonly OPEN: number
  readonly readyState: number
  /** Bytes that were written and have not left yet. */
  readonly bufferedAmount: number
  ping(): void
  close(code: number, reason: string): void
  /** Cuts the connection without a closing handshake. */
  terminate(): void
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): void
  on(event: 'pong' | 'close' | 'error', listener: () => void): void
  once(event: 'close', listener: () => void): void
}

/** The connection below it. */
export interface Wire {
  /** `written` is called when the bytes have left, or cannot any more. */
  write(bytes: Buffer, written?: () => void): unknown
}

export interface Outbox {
  /** About what waits in the outbox itself. */
  readonly bytes: number
  put(text: string): void
  /** Now, and not at the end of the turn: before the connection is closed, or to know when it has left. */
  flush(written?: () => void): void
}

/**
 * What is said in one turn of the event loop leaves as one write. The library would make two writes of each message,
 * which together cost more than all that is done for a submission's answer.
 */
export function createOutbox(socket: Pick<Socket, 'OPEN' | 'readyState'>, wire: Wire): Outbox {
  let texts: string[] = []
  let bytes = 0

  function flush(written?: () => void): void {
    const waiting = texts
    texts = []
    bytes = 0
    // After its closing frame nothing may follow.
    if (socket.readyState !== socket.OPEN || waiting.length === 0) written?.()
    else wire.write(framesOf(waiting), written)
  }

  return {
    get bytes() {
      return bytes
    },
    put(text) {
      if (texts.length === 0) process.nextTick(flush)
      texts.push(text)
      bytes += text.length
    },
    flush,
  }
}

const FINAL_TEXT = 0x81

/** Text frames of a server (RFC 6455): not masked, not compressed. */
export function framesOf(texts: readonly string[]): Buffer {
  const lengths = texts.map((text) => Buffer.byteLength(text))
  const frames = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + headBytes(length) + length, 0))
  let at = 0
  for (let index = 0; index < texts.length; index++) {
    const length = lengths[index]!
    frames[at++] = FINAL_TEXT
    if (length < 126) frames[at++] = length
    else if (length <= 0xffff) {
      frames[at++] = 126
      at = frames.writeUInt16BE(length, at)
    } else {
      frames[at++] = 127
      at = frames.writeBigUInt64BE(BigInt(length), at)
    }
    at += frames.write(texts[index]!, at)
  }
  return frames
}

function headBytes(length: number): number {
  return length < 126 ? 2 : length <= 0xffff ? 4 : 10
}
