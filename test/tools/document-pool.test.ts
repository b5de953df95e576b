import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { TroupeError } from '@troupe/sdk'
import { createDocumentPool } from '@troupe/tools/document-pool'
import { makeXlsxSheet } from './files.ts'

const signal = () => new AbortController().signal
const small = { bytes: new TextEncoder().encode('A small text.'), name: 'a.txt' }
/** Takes a thread seconds to read. Its cells differ, or it would be refused as a bomb before anything is read. */
const slow = { bytes: makeXlsxSheet(`<worksheet><sheetData>${manyRows()}</sheetData></worksheet>`) }

function manyRows(): string {
  const cells = (row: number) => Array.from({ length: 200 }, (_, at) => `<c><v>${(row * 200 + at) * 7_919}</v></c>`)
  return Array.from({ length: 5_000 }, (_, row) => `<row>${cells(row).join('')}</row>`).join('')
}

const coded = (code: string) => (error: unknown) => error instanceof TroupeError && error.code === code

test('a job over its time costs its thread, and the next job gets a new one', async () => {
  const pool = createDocumentPool({ threads: 1, queue: 4, heapMegabytes: 256 })
  await assert.rejects(pool.run('extract-text', slow, { signal: signal(), time: 150 }), {
    code: 'limit_exceeded',
    message: /longer than 150 ms/,
  })
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

test('a job that is aborted while it waits leaves the queue at once, and its place is free', async () => {
  const pool = createDocumentPool({ threads: 1, queue: 1, heapMegabytes: 256 })
  const order: string[] = []
  const running = pool.run('extract-text', slow, { signal: signal(), time: 60_000 }).then(() => order.push('running'))
  const controller = new AbortController()
  const queued = pool.run('extract-text', small, { signal: controller.signal, time: 60_000 })
  controller.abort(new Error('no longer wanted'))
  await assert.rejects(queued, /no longer wanted/)
  order.push('left')
  const next = pool.run('extract-text', small, { signal: signal(), time: 60_000 })
  await Promise.all([running, next])
  assert.deepEqual(order, ['left', 'running'])
  await pool.close()
})

test('a job that needs more memory than its thread has fails alone', async () => {
  const pool = createDocumentPool({ threads: 1, queue: 4, heapMegabytes: 24, bufferMegabytes: 1_024 })
  await assert.rejects(pool.run('extract-text', slow, { signal: signal(), time: 60_000 }), {
    code: 'limit_exceeded',
    message: /more than 24 MB of memory/,
  })
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
