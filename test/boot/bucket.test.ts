// Documents in a bucket (test/gateway/support/bucket.ts: a server made for these tests), set as an operator sets it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { readSettings } from '../../src/boot/settings.ts'
import { type Bucket, CREDENTIALS, startBucket } from '../gateway/support/bucket.ts'
import { missing, startNats, startPostgres } from '../support/servers.ts'
import { type Installation, runTroupe, startInstallation, temporaryFolder } from './installation.ts'

const keys = { AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId, AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey }
const text = 'Ada Lovelace met Charles Babbage on 5 June 1833 in London.'

let bucket: Bucket
before(async () => {
  bucket = await startBucket()
})
after(() => bucket.close())

const settingsOf = (prefix: string) => ({
  ...keys,
  TROUPE_BLOBS: `s3://papers/${prefix}?endpoint=${bucket.url}&region=eu-test-1`,
})

/** Stores a document through the gateway; an agent on a host reads it. All that is stored must be in the bucket. */
async function tryDocuments(troupe: Installation, prefix: string): Promise<void> {
  const form = new FormData()
  form.set('file', new Blob([text], { type: 'text/plain' }), 'minutes.txt')
  const authorization = `Bearer ${troupe.key}`
  const stored = await fetch(`${troupe.url}/v1/documents`, { method: 'POST', headers: { authorization }, body: form })
  assert.equal(stored.status, 201)
  const { id } = (await stored.json()) as { id: string }
  const sha256 = createHash('sha256').update(text).digest('hex')
  assert.equal(bucket.objects.get(`/papers/${prefix}/${sha256}`)?.toString(), text)

  const ran = await troupe.troupe(['submit', 'document-analyzer', JSON.stringify({ document: { id } }), '--wait'])
  assert.equal(ran.code, 0, ran.err)
  assert.match(ran.out, /Charles Babbage/)
  const { documents } = await troupe.call('GET', '/v1/documents')
  assert.ok(documents.length > 1, 'the agent stored what it read')
  for (const document of documents as { sha256: string }[]) {
    assert.ok(bucket.objects.has(`/papers/${prefix}/${document.sha256}`))
  }
  const content = await fetch(`${troupe.url}/v1/documents/${id}/content`, { headers: { authorization } })
  assert.equal(await content.text(), text)
}

test('embedded: documents that callers and agents store are in the bucket, and come back', async () => {
  const troupe = await startInstallation({ env: settingsOf('embedded') })
  try {
    await tryDocuments(troupe, 'embedded')
  } finally {
    assert.equal(await troupe.stop(), 0)
  }
})

test('a cluster: gateway and hosts keep documents in the same bucket', {
  skip: missing('postgres') || missing('nats'),
}, async () => {
  const [postgres, nats] = await Promise.all([startPostgres(), startNats()])
  try {
    const args = ['--postgres', postgres.url, '--nats', nats.url, '--hosts', '1']
    const troupe = await startInstallation({ args, env: settingsOf('cluster') })
    try {
      await tryDocuments(troupe, 'cluster')
    } finally {
      await troupe.stop()
    }
  } finally {
    await Promise.all([postgres.stop(), nats.stop()])
  }
})

test('a bucket that refuses the credentials is told at the start, in one coded line', async () => {
  const env = { ...settingsOf('x'), AWS_SECRET_ACCESS_KEY: 'guessed' }
  const { code, err } = await runTroupe(['--data', temporaryFolder(), 'up', '--port', '0'], { env })
  assert.notEqual(code, 0)
  assert.match(err, /configuration_invalid.*papers.*refuses: 403 SignatureDoesNotMatch/)
  assert.ok(!err.includes('guessed'))
})

test('`troupe doctor` says whether bucket and issuer answer', async () => {
  const issuer = { TROUPE_ISSUER: 'http://127.0.0.1:9', TROUPE_ISSUER_AUDIENCE: 'troupe' }
  const env = { ...settingsOf('x'), ...issuer }
  const { out } = await runTroupe(['--data', temporaryFolder(), 'doctor'], { env })
  assert.match(out, /bucket +\S*127\.0\.0\.1:\d+ answers/)
  assert.match(out, /issuer +\S*127\.0\.0\.1:9: ECONNREFUSED/)
})

test('a bucket is read from its address, the region from there or from AWS_REGION', () => {
  const credentials = CREDENTIALS
  const bucketOf = (TROUPE_BLOBS: string, more = {}) => readSettings({ ...keys, TROUPE_BLOBS, ...more }).bucket
  assert.equal(readSettings(keys).bucket, undefined)
  assert.deepEqual(bucketOf('s3://papers', { AWS_REGION: 'eu-central-1' }), {
    endpoint: 'https://s3.eu-central-1.amazonaws.com',
    bucket: 'papers',
    region: 'eu-central-1',
    credentials,
  })
  assert.deepEqual(bucketOf('s3://papers/a/b/?endpoint=http://minio:9000'), {
    endpoint: 'http://minio:9000',
    bucket: 'papers',
    region: 'us-east-1',
    prefix: 'a/b/',
    credentials,
  })
})

test('a bucket that is set incompletely, or cannot be meant, is refused without telling a secret', () => {
  const wrong: [Record<string, string>, RegExp][] = [
    [{ TROUPE_BLOBS: 's3://papers' }, /neither an endpoint nor a region/],
    [
      { TROUPE_BLOBS: 's3://papers?region=eu-1', TROUPE_DOCUMENT_BYTES: '5368709121' },
      /TROUPE_DOCUMENT_BYTES .*in one piece/,
    ],
    [{ TROUPE_BLOBS: 'papers' }, /is no address/],
    [{ TROUPE_BLOBS: 'https://papers.example' }, /is not like s3:/],
    [{ TROUPE_BLOBS: 's3://me:hidden@papers?region=r' }, /more than a bucket/],
    [{ TROUPE_BLOBS: 's3://papers/a%2Fb?region=r' }, /is not like s3:/],
    [{ TROUPE_BLOBS: 's3://papers?region=r&style=path' }, /not style/],
    [{ TROUPE_BLOBS: 's3://papers?endpoint=https://host/folder' }, /endpoint/],
    [{ TROUPE_BLOBS: 's3://papers?region=r', AWS_SECRET_ACCESS_KEY: '' }, /needs AWS_ACCESS_KEY_ID and/],
    [{ TROUPE_BLOBS: 's3://papers?region=r', AWS_SESSION_TOKEN: 'hidden' }, /AWS_SESSION_TOKEN/],
  ]
  for (const [environment, message] of wrong) {
    assert.throws(
      () => readSettings({ ...keys, ...environment }),
      (error: Error & { code?: string }) =>
        error.code === 'configuration_invalid' && message.test(error.message) && !error.message.includes('hidden'),
      JSON.stringify(environment),
    )
  }
})
