// The client's side of the upsert stream, against streams that do what the worker's do not.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { Breaker } from '../../../src/workers/grpc/index.ts'
import { type UpsertDocument, type UpsertStream, upsertAll } from '../../../src/workers/retrieval/client-upsert.ts'

class Stream extends EventEmitter implements UpsertStream {
  over = false
  #answers: boolean

  constructor(answers: boolean) {
    super()
    this.#answers = answers
  }

  write(): boolean {
    if (this.#answers) queueMicrotask(() => this.emit('data', { outcome: 'STORED', passages: 1 }))
    else this.end()
    return true
  }
  end(): void {
    this.over = true
    setImmediate(() => this.emit('end'))
  }
  cancel(): void {
    this.end()
  }
}

/** Each stream in turn answers, or ends at its first document. */
function upsertThrough(answers: boolean[], documents: UpsertDocument[]) {
  const streams: Stream[] = []
  const open = () => {
    streams.push(new Stream(answers[streams.length]!))
    return streams.at(-1)!
  }
  const retry = { breaker: new Breaker(), where: 'worker', deadline: Date.now() + 10_000, signal: undefined }
  return { streams, summary: upsertAll({ open, retry, tenant: 'acme', collection: 'c', documents }) }
}

test('a document that cannot be sent ends its stream, and the upsert with its error', async () => {
  const odd = { documentId: 'odd', text: 'more words', metadata: null } as never
  const { streams, summary } = upsertThrough([true], [{ documentId: 'good', text: 'words' }, odd])
  await assert.rejects(summary, TypeError)
  assert.deepEqual(
    streams.map(({ over }) => over),
    [true],
  )
})

test('documents that a stream ended without are sent in the next one', async () => {
  const documents = [1, 2, 3].map((n) => ({ documentId: `d${n}`, text: 'words' }))
  const { streams, summary } = upsertThrough([false, true], documents)
  assert.deepEqual(await summary, { stored: 3, replaced: 0, unchanged: 0, passages: 3 })
  assert.equal(streams.length, 2)
})
