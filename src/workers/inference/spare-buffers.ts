// Buffers that carried a batch to a thread and came back. A new one for each batch costs its zeroing, page faults and
// garbage collections that watch the bytes; one that was used before costs nothing.
const SMALLEST = 4_096
/** Larger ones are rare and would be kept for nothing. */
const LARGEST = 4 * 1024 * 1024
const MOST_OF_A_SIZE = 4

export class SpareBuffers {
  readonly #bySize = new Map<number, ArrayBuffer[]>()

  /** Holds what was there before: the caller writes all of it. */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (length > LARGEST) return new Uint8Array(length)
    const size = sizeFor(length)
    const buffer = this.#bySize.get(size)?.pop() ?? new ArrayBuffer(size)
    return new Uint8Array(buffer, 0, length)
  }

  give(buffer: ArrayBuffer): void {
    const size = buffer.byteLength
    if (size > LARGEST || size < SMALLEST || size !== sizeFor(size)) return
    let kept = this.#bySize.get(size)
    if (kept === undefined) {
      kept = []
      this.#bySize.set(size, kept)
    }
    if (kept.length < MOST_OF_A_SIZE) kept.push(buffer)
  }
}

function sizeFor(length: number): number {
  return length <= SMALLEST ? SMALLEST : 2 ** Math.ceil(Math.log2(length))
}
