// What every blob store keeps, wherever it keeps it: run by the tests of files, of Postgres and of a bucket.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import type { BlobStore } from '../../../src/journal/blobs.ts'

export function blobContract(current: () => BlobStore): void {
  for (const bytes of [0, 1, 524_288, 524_289, 3_000_000]) {
    test(`${bytes} bytes come back, whole and in ranges, from a buffer and from a stream`, async () => {
      const content = randomBytes(bytes)
      const blobs = current()
      const pieces = [content.subarray(0, bytes / 3), content.subarray(bytes / 3)]
      const refs = [await blobs.put(content), await blobs.put(Readable.from(pieces))]
      const sha256 = createHash('sha256').update(content).digest('hex')
      assert.deepEqual(refs, [
        { sha256, bytes },
        { sha256, bytes },
      ])
      assert.ok(content.equals((await blobs.read(sha256))!))
      assert.ok(content.equals(await buffer((await blobs.stream(sha256))!)))
      if (bytes < 10) return
      const range = { start: 5, end: bytes - 3 }
      assert.ok(content.subarray(5, bytes - 2).equals(await buffer((await blobs.stream(sha256, range))!)))
    })
  }

  test('the same content put many times at once is one blob', async () => {
    const content = randomBytes(1_000_000)
    const refs = await Promise.all(Array.from({ length: 5 }, () => current().put(content)))
    assert.equal(new Set(refs.map(({ sha256 }) => sha256)).size, 1)
    assert.ok(content.equals((await current().read(refs[0]!.sha256))!))
  })

  test('a stream over its limit is refused as value_too_large, and is not there', async () => {
    const content = randomBytes(700_000)
    await assert.rejects(current().put(Readable.from([content]), { maxBytes: 600_000 }), { code: 'value_too_large' })
    assert.equal(await current().read(createHash('sha256').update(content).digest('hex')), undefined)
  })

  test('a stream that breaks off is the caller’s error, and what came of it is not there', async () => {
    const content = randomBytes(600_000)
    async function* broken() {
      yield content
      throw new Error('the upload broke off')
    }
    await assert.rejects(current().put(Readable.from(broken())), /broke off/)
    assert.equal(await current().read(createHash('sha256').update(content).digest('hex')), undefined)
  })

  test('what is not there is undefined; a deleted blob is not there', async () => {
    const { sha256 } = await current().put(Buffer.from('gone soon'))
    await current().delete(sha256)
    assert.equal(await current().read(sha256), undefined)
    assert.equal(await current().stream(sha256), undefined)
    await current().delete(sha256)
  })

  test('a hash that is not one names nothing outside the store', async () => {
    await assert.rejects(
      async () => {
        if ((await current().read('../../etc/passwd')) === undefined)
          throw Object.assign(new Error(), { code: 'invalid_request' })
      },
      { code: 'invalid_request' },
    )
  })
}
