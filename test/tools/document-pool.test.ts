import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { TroupeError } from '@troupe/sdk'
import { createDocumentPool } from '@troupe/tools/document-pool'
import { makeXlsxSheet } from './files.ts'

const signal = () => new AbortController().signal
const small = { bytes: new TextEncoder().encode('A small text.'), name: 'a.txt' }
/** Takes a thread seconds to read. */
const slow = {
  bytes: makeXlsxSheet(
    `<worksheet><sheetData>${`<row>${'<c><v>1</v></c>'.repeat(400)}</row>`.repeat(8_000)}</sheetData></worksheet>`,
  ),
}

const coded = (code: string) => (error: unknown) => error instanceof TroupeError && error.code === code

test('a job over its time costs its thread, and the next job gets a new one', async () => {
  const pool = createDocumentPool({ threads: 1, queue: 4, heapMegabytes: 256 })
  await assert.rejects(pool.run('extract-text', slow, { signal: signal(), time: 150 }), coded('limit_exceeded'))
  const next = (await pool.run('extract-text', small, { signal: signal(), time: 20_000 })) as {
    document: { text: string }
  }
  assert.equal(next.document.text, 'A small text.')
  await pool.close()
})

test('an aborted job is ended with the reason of its signal', async () => {
  const pool = createDocumentPool({ threads: 1, queue: 4, heapMegabytes: 256 })
  const controller = new AbortController()
  const running = pool.run('extract-text', slow, { signal: controller.signal, time: 20_000 })
  const waiting = new AbortController()
  const queued = pool.run('extract-text', small, { signal: waiting.signal, time: 20_000 })
  waiting.abort(new Error('no longer wanted'))
  controller.abort(new Error('the task was cancelled'))
  await assert.rejects(running, /the task was cancelled/)
  await assert.rejects(queued, /no longer wanted/)
  await pool.close()
})

test('a job that needs more memory than its thread has fails alone', async () => {
  const pool = createDocumentPool({ threads: 1, queue: 4, heapMegabytes: 24 })
  await assert.rejects(pool.run('extract-text', slow, { signal: signal(), time: 60_000 }), coded('limit_exceeded'))
  await pool.run('extract-text', small, { signal: signal(), time: 20_000 })
  await pool.close()
})

test('a full queue refuses with overloaded', async () => {
  const pool = createDocumentPool({ threads: 1, queue: 2, heapMegabytes: 256 })
  const options = { signal: signal(), time: 20_000 }
  const accepted = [small, small, small].map((file) => pool.run('extract-text', file, options))
  await assert.rejects(pool.run('extract-text', small, options), coded('overloaded'))
  await Promise.all(accepted)
  await pool.close()
})

test('closing ends what runs and what waits', async () => {
  const pool = createDocumentPool({ threads: 1, queue: 4, heapMegabytes: 256 })
  const options = { signal: signal(), time: 20_000 }
  const both = Promise.allSettled([pool.run('extract-text', slow, options), pool.run('extract-text', small, options)])
  await pool.close()
  for (const outcome of await both) assert.ok(outcome.status === 'rejected' && coded('cancelled')(outcome.reason))
  await assert.rejects(pool.run('extract-text', small, options), coded('draining'))
})

test('a stream that unpacks to gigabytes is stopped at the limit of buffers', async () => {
  const pool = createDocumentPool({ threads: 1, queue: 4, heapMegabytes: 256, bufferMegabytes: 128 })
  const stream = deflateSync(deflateSync(Buffer.alloc(600_000_000, ' ')))
  const head = `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R>>endobj
4 0 obj<</Length ${stream.length}/Filter[/FlateDecode/FlateDecode]>>stream
`
  const bytes = new Uint8Array(
    Buffer.concat([Buffer.from(head), stream, Buffer.from('\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF')]),
  )
  assert.ok(bytes.length < 10_000)
  await assert.rejects(
    pool.run('extract-text', { bytes, name: 'bomb.pdf' }, { signal: signal(), time: 60_000 }),
    coded('limit_exceeded'),
  )
  await pool.close()
})
