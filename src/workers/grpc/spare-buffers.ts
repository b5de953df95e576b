// Buffers that carried something and came back. A new one for each message or batch costs its zeroing, page faults, and
// collections that count the bytes: V8 marks the whole heap again and again while megabytes outside it come and go.
const SMALLEST = 4_096
/** Larger ones are rare and would be kept for nothing. */
const LARGEST = 4 * 1024 * 1024
const MOST_BYTES = 16 * 1024 * 1024

export class SpareBuffers {
  readonly #bySize = new Map<number, ArrayBuffer[]>()
  readonly #mostBytes: number
  #bytes = 0

  /** `mostBytes`: what is kept of all sizes together. */
  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes
  }

  /** Holds what was there before: the caller writes all of it. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length > LARGEST) return new Uint8Array(length)
    const size = sizeFor(length)
    let buffer = this.#bySize.get(size)?.pop()
    if (buffer === undefined) buffer = new ArrayBuffer(size)
    else this.#bytes -= size
    return new Uint8Array(buffer, 0, length)
  }

  give(buffer: ArrayBuffer): void {
    const size = buffer.byteLength
    if (size > LARGEST || size < SMALLEST || size !== sizeFor(size) || this.#bytes + size > this.#mostBytes) return
    let kept = this.#bySize.get(size)
    if (kept === undefined) {
      kept = []
      this.#bySize.set(size, kept)
    }
    kept.push(buffer)
    this.#bytes += size
  }
}

function sizeFor(length: number): number {
  return length <= SMALLEST ? SMALLEST : 2 ** Math.ceil(Math.log2(length))
}
