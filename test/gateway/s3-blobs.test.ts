import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { openS3Blobs } from '../../src/gateway/index.ts'
import { sign } from '../../src/gateway/store/s3-signature.ts'
import type { BlobStore } from '../../src/journal/blobs.ts'
import { blobContract } from '../journal/contract/blobs.ts'
import { type Bucket, CREDENTIALS as credentials, startBucket } from './support/bucket.ts'

let bucket: Bucket
let blobs: BlobStore

before(async () => {
  bucket = await startBucket()
  blobs = await openS3Blobs({ bucket: 'papers', region: 'eu-test-1', endpoint: bucket.url, credentials })
})
after(async () => {
  await blobs.close()
  await bucket.close()
})

blobContract(() => blobs)

const pieces = (content: Buffer) => Readable.from([content.subarray(0, 100), content.subarray(100)])

test('an object is named by the prefix and the hash of its content', async () => {
  const { sha256 } = await blobs.put(Buffer.from('named'))
  assert.ok(bucket.objects.has(`/papers/blobs/${sha256}`))
})

test('the same content is uploaded once', async () => {
  const content = randomBytes(1_000)
  const before = bucket.puts
  await blobs.put(content)
  await blobs.put(pieces(content))
  assert.equal(bucket.puts, before + 1)
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

test('a bucket that is busy, or a connection that breaks, is tried again; one that stays so is `unavailable`', async () => {
  for (const trouble of ['busy', 'broken'] as const) {
    const content = randomBytes(2_000)
    bucket.trouble(trouble, 2)
    const { sha256 } = await blobs.put(content)
    assert.equal(bucket.troubles, 0)
    bucket.trouble(trouble, 2)
    assert.deepEqual(Buffer.from((await blobs.read(sha256))!), content)
    bucket.trouble(trouble, 100)
    await assert.rejects(blobs.put(randomBytes(2_000)), { code: 'unavailable' })
    assert.equal(bucket.troubles, 97, 'three attempts, and no more')
    bucket.trouble(trouble, 0)
  }
})

test('a bucket that does not know the credentials, or does not exist, is refused when it is opened', async () => {
  const options = { bucket: 'papers', region: 'eu-test-1', endpoint: bucket.url, credentials }
  const stranger = { ...credentials, secretAccessKey: 'guessed' }
  const wrong = [
    { ...options, credentials: stranger },
    { ...options, bucket: 'nowhere' },
  ]
  const code = 'configuration_invalid'
  await assert.rejects(openS3Blobs(wrong[0]!), { code, message: /refuses: 403 SignatureDoesNotMatch/ })
  await assert.rejects(openS3Blobs(wrong[1]!), { code, message: /refuses: 404 NoSuchBucket/ })
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
