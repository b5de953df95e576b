// What is said in one turn of the event loop goes as one message: a group commit answers many callers at once, and a
// message costs the server and both ends more than what it carries.

/** Calls `flush` once, when everything that follows from what just happened has run. */
export function afterTurn(flush: () => void): () => void {
  let due = false
  return () => {
    if (due) return
    due = true
    process.nextTick(() => {
      due = false
      flush()
    })
  }
}

export interface Batch {
  /** Which of the values is its first. */
  first: number
  payload: string
}

/** JSON values joined to arrays of at most `most` values and about `bytes` bytes. */
export function* inBatches(values: readonly string[], most: number, bytes: number): Iterable<Batch> {
  let batch: string[] = []
  let first = 0
  let size = 0
  for (const value of values) {
    // A UTF-16 unit is at most three bytes of UTF-8.
    const more = value.length * 3
    if (batch.length > 0 && (batch.length >= most || size + more > bytes)) {
      yield { first, payload: `[${batch.join(',')}]` }
      first += batch.length
      batch = []
      size = 0
    }
    batch.push(value)
    size += more
  }
  if (batch.length > 0) yield { first, payload: `[${batch.join(',')}]` }
}
