import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { openS3Blobs } from '../../src/gateway/index.ts'
import { sign } from '../../src/gateway/store/s3-signature.ts'
import type { BlobStore } from '../../src/journal/blobs.ts'
import { type Bucket, startBucket } from './support/bucket.ts'

let bucket: Bucket
let blobs: BlobStore
const credentials = { accessKeyId: 'someone', secretAccessKey: 'something' }

before(async () => {
  bucket = await startBucket()
  blobs = await openS3Blobs({ bucket: 'papers', region: 'eu-test-1', endpoint: bucket.url, credentials })
})
after(async () => {
  await blobs.close()
  await bucket.close()
})

const pieces = (content: Buffer) => Readable.from([content.subarray(0, 100), content.subarray(100)])

test('content put as bytes or as a stream is addressed by its hash and given back, whole or in part', async () => {
  const content = randomBytes(300_000)
  const ref = await blobs.put(pieces(content))
  assert.deepEqual(ref, { sha256: createHash('sha256').update(content).digest('hex'), bytes: 300_000 })
  assert.deepEqual(Buffer.from((await blobs.read(ref.sha256))!), content)
  const part = await blobs.stream(ref.sha256, { start: 10, end: 19 })
  assert.deepEqual(await buffer(part!), content.subarray(10, 20))
  assert.deepEqual([...bucket.objects.keys()], [`/papers/blobs/${ref.sha256}`])
})

test('the same content is uploaded once', async () => {
  const content = randomBytes(1_000)
  const before = bucket.puts
  await blobs.put(content)
  await blobs.put(pieces(content))
  assert.equal(bucket.puts, before + 1)
})

test('what is not there is undefined, and can be deleted', async () => {
  const unknown = 'f'.repeat(64)
  assert.equal(await blobs.read(unknown), undefined)
  assert.equal(await blobs.stream(unknown), undefined)
  await blobs.delete(unknown)
  const { sha256 } = await blobs.put(Buffer.from('gone'))
  await blobs.delete(sha256)
  assert.equal(await blobs.read(sha256), undefined)
})

test('content over the limit, or from a stream that breaks off, is not uploaded', async () => {
  const before = bucket.objects.size
  await assert.rejects(blobs.put(randomBytes(200), { maxBytes: 100 }), { code: 'value_too_large' })
  const broken = Readable.from(
    (async function* () {
      yield Buffer.from('begun')
      throw new Error('the caller went')
    })(),
  )
  await assert.rejects(blobs.put(broken), /the caller went/)
  assert.equal(bucket.objects.size, before)
})

test('an upload that is damaged on its way is refused by the bucket and not taken for stored', async () => {
  bucket.damage()
  const content = randomBytes(500)
  await assert.rejects(blobs.put(content), { code: 'unavailable' })
  assert.equal(await blobs.read(createHash('sha256').update(content).digest('hex')), undefined)
})

test('a bucket that cannot be reached is `unavailable`', async () => {
  const nowhere = await openS3Blobs({ bucket: 'b', region: 'r', endpoint: 'http://127.0.0.1:9', credentials })
  await assert.rejects(nowhere.put(Buffer.from('x')), { code: 'unavailable' })
  await nowhere.close()
})

test('a request is signed as AWS documents it for a ranged GET', () => {
  const signed = sign(
    {
      method: 'GET',
      url: new URL('https://examplebucket.s3.amazonaws.com/test.txt'),
      headers: { range: 'bytes=0-9' },
      bodySha256: createHash('sha256').digest('hex'),
    },
    { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    'us-east-1',
    new Date('2013-05-24T00:00:00Z'),
  )
  assert.match(
    signed.authorization!,
    /SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41$/,
  )
})
