import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TroupeError } from '../../src/contract/errors.ts'
import { wordRetrieval } from './support/far-side.ts'
import { type Answer, type Started, startGateway } from './support/start.ts'

let started: Started
const retrieval = wordRetrieval()
before(async () => {
  started = await startGateway({ config: { maxDocumentBytes: 5 * 1024 * 1024 }, retrieval })
})
after(async () => await started[Symbol.asyncDispose]())

function upload(
  content: Uint8Array<ArrayBuffer> | string,
  name = 'a.txt',
  type = 'text/plain',
  key?: string,
): Promise<Answer> {
  const form = new FormData()
  form.append('file', new Blob([content], { type }), name)
  return started.call('POST', '/v1/documents', { raw: form, ...(key === undefined ? {} : { key }) })
}

test('the type is what the content tells, else what the sender says, else what the name ends with', async () => {
  const typeOf = async (...given: Parameters<typeof upload>) => (await upload(...given)).json.mime
  const silent = 'application/octet-stream'
  assert.equal(await typeOf('a,b\n1,2\n', 'sales.csv', silent), 'text/csv')
  assert.equal(await typeOf('# Title', 'NOTES.MD', ''), 'text/markdown')
  assert.equal(await typeOf('a,b\n1,2\n', 'sales.csv', 'text/plain'), 'text/plain')
  assert.equal(await typeOf('%PDF-1.7\n', 'sales.csv', silent), 'application/pdf')
  assert.equal(await typeOf('who knows', 'thing.xyz', silent), silent)
})

test('a document is stored, described and given back byte by byte', async () => {
  const content = randomBytes(3_000_000)
  const stored = await upload(content, 'Rechnung März (1).bin', 'application/octet-stream')
  assert.equal(stored.status, 201)
  assert.equal(stored.json.bytes, content.length)
  assert.equal(stored.json.sha256, createHash('sha256').update(content).digest('hex'))
  assert.equal(stored.json.name, 'Rechnung März (1).bin')
  const answer = await fetch(started.url + stored.json.links.content, {
    headers: { authorization: `Bearer ${started.adminKey}` },
  })
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), content)
  assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; filename\*=UTF-8''Rechnung%20M%C3%A4rz/)
  assert.match(answer.headers.get('content-security-policy') ?? '', /sandbox/)
})

test('the type is found by content, not by what the sender says', async () => {
  const stored = await upload('%PDF-1.7\n%âãÏÓ\n', 'picture.png', 'image/png')
  assert.equal(stored.json.mime, 'application/pdf')
})

test('a program is refused by the default policy, before anything is stored', async () => {
  const blobs = () => readdirSync(join(started.folder, 'blobs'), { recursive: true }).length
  const before = blobs()
  const program = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), Buffer.alloc(5_000)])
  const refused = await upload(program, 'tool.txt')
  assert.deepEqual([refused.status, refused.json.code], [422, 'input_refused'])
  assert.equal(blobs(), before)
})

test('a document over the limit is a 413 and leaves nothing behind', async () => {
  const refused = await upload(randomBytes(6 * 1024 * 1024))
  assert.deepEqual([refused.status, refused.json.code], [413, 'value_too_large'])
  assert.deepEqual(readdirSync(join(started.folder, 'blobs', 'incoming')), [])
})

test('a form without a file, with two files, or no form at all is refused', async () => {
  const none = new FormData()
  none.append('note', 'text')
  assert.equal((await started.call('POST', '/v1/documents', { raw: none })).status, 400)
  const two = new FormData()
  two.append('file', new Blob(['a']), 'a')
  two.append('file', new Blob(['b']), 'b')
  assert.equal((await started.call('POST', '/v1/documents', { raw: two })).status, 400)
  assert.equal((await started.call('POST', '/v1/documents', { body: {} })).status, 415)
  const broken = { 'content-type': 'multipart/form-data; boundary=x' }
  const cutOff = '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc'
  for (const raw of ['nonsense', '', cutOff, cutOff + 'y'.repeat(200_000), '--x--\r\n']) {
    assert.equal((await started.call('POST', '/v1/documents', { raw, headers: broken })).status, 400, raw.slice(0, 20))
  }
})

test('an upload that breaks off leaves no document and no temporary file', async () => {
  const { port, hostname } = new URL(started.url)
  const before = (await started.call('GET', '/v1/documents?limit=500')).json.documents.length
  const socket = connect(Number(port), hostname)
  socket.write(
    `POST /v1/documents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${started.adminKey}\r\n` +
      'content-type: multipart/form-data; boundary=b\r\ncontent-length: 1000000\r\n\r\n' +
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n' +
      'x'.repeat(100_000),
  )
  const incoming = join(started.folder, 'blobs', 'incoming')
  await until(() => readdirSync(incoming).length === 1)
  socket.destroy()
  await until(() => readdirSync(incoming).length === 0)
  assert.equal((await started.call('GET', '/v1/documents?limit=500')).json.documents.length, before)
})

test('a part of a document can be asked for, and an unchanged one is not sent again', async () => {
  const { json } = await upload('0123456789')
  const get = (headers: Record<string, string>) => started.call('GET', json.links.content, { headers })
  const part = await get({ range: 'bytes=2-4' })
  assert.deepEqual([part.status, part.text, part.headers.get('content-range')], [206, '234', 'bytes 2-4/10'])
  assert.equal((await get({ range: 'bytes=-3' })).text, '789')
  assert.equal((await get({ range: 'bytes=8-99' })).text, '89')
  const outside = await get({ range: 'bytes=10-' })
  assert.deepEqual([outside.status, outside.headers.get('content-range')], [416, 'bytes */10'])
  assert.equal((await get({ range: 'bytes=0-1,4-5' })).status, 200)
  const tag = `"${json.sha256}"`
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
    assert.equal((await get({ 'if-none-match': known })).status, 304, known)
  }
  assert.equal((await get({ 'if-none-match': '"other"' })).status, 200)
})

test('a list goes page by page, newest first', async () => {
  const key = await started.key('submitter', 'lister')
  for (let count = 0; count < 3; count++) await upload(`n${count}`, `n${count}.txt`, 'text/plain', key)
  const first = await started.call('GET', '/v1/documents?limit=2', { key })
  const second = await started.call('GET', `/v1/documents?limit=2&cursor=${first.json.nextCursor}`, { key })
  const names = [...first.json.documents, ...second.json.documents].map((document) => document.name)
  assert.deepEqual(names, ['n2.txt', 'n1.txt', 'n0.txt'])
  assert.equal(second.json.nextCursor, undefined)
})

test('an uploaded document is announced on its platform stream', async () => {
  const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>()
  const stop = await started.bus.followPlatform(['document_uploaded'], { tenant: 'default' }, (event) =>
    resolve(event.data),
  )
  const { json } = await upload('announced')
  assert.equal((await promise).document, json.id)
  stop()
})

test('a deleted document is gone for everyone, its passages too; the same bytes of another stay readable', async () => {
  const key = await started.key('submitter', 'eraser')
  const mine = (await upload('the same bytes', 'a.txt', 'text/plain', key)).json
  const theirs = (await upload('the same bytes', 'b.txt')).json
  await started.call('POST', '/v1/collections/papers/documents', {
    key,
    body: { documents: [{ documentId: mine.id }] },
  })
  const file = join(started.folder, 'blobs', mine.sha256.slice(0, 2), mine.sha256)
  const remove = (id: string) => started.call('DELETE', `/v1/documents/${id}`, { key })

  assert.equal((await remove(theirs.id)).json.code, 'not_found', 'another tenant’s')
  assert.equal((await remove(mine.id)).status, 204)
  assert.deepEqual([(await remove(mine.id)).status, (await remove('doc_nonsense')).status], [404, 404])
  for (const path of [mine.links.self, mine.links.content]) {
    assert.equal((await started.call('GET', path, { key })).json.code, 'not_found')
  }
  assert.deepEqual((await started.call('GET', '/v1/documents', { key })).json.documents, [])
  const search = { key, body: { query: 'bytes' } }
  assert.deepEqual((await started.call('POST', '/v1/collections/papers/search', search)).json.passages, [])
  assert.equal((await started.call('GET', theirs.links.content)).text, 'the same bytes')

  assert.equal((await started.call('DELETE', theirs.links.self)).status, 204)
  await until(() => !existsSync(file))
  assert.equal((await upload('the same bytes', 'c.txt')).status, 201)
  assert.ok(existsSync(file), 'it can come again')
  const auditor = await started.key('admin', 'eraser')
  const { entries } = (await started.call('GET', '/v1/audit', { key: auditor })).json
  const deletions = entries.filter(({ action }: { action: string }) => action === 'document.delete')
  assert.deepEqual(
    deletions.map(({ target, status }: { target: string; status: number }) => [target, status]),
    [
      [`/v1/documents/${theirs.id}`, 404],
      [mine.id, 204],
      [`/v1/documents/${mine.id}`, 404],
      ['/v1/documents/doc_nonsense', 404],
    ],
  )
})

test('while the passages of a document cannot be removed, the document stays', async (t) => {
  const { json } = await upload('kept')
  t.mock.method(retrieval, 'collections', async () => {
    throw new TroupeError('worker_unavailable', 'The retrieval worker is away.')
  })
  assert.equal((await started.call('DELETE', json.links.self)).json.code, 'worker_unavailable')
  assert.equal((await started.call('GET', json.links.content)).text, 'kept')
})

test('a deleted collection is gone, for its tenant alone; the documents that were put into it stay', async () => {
  const { json } = await upload('collected')
  const key = await started.key('submitter', 'collector')
  const put = (given?: string) =>
    started.call('POST', '/v1/collections/shelf/documents', {
      body: { documents: [given === undefined ? { documentId: json.id } : { documentId: 'd', text: 'theirs' }] },
      ...(given === undefined ? {} : { key: given }),
    })
  await Promise.all([put(), put(key)])
  assert.equal((await started.call('DELETE', '/v1/collections/shelf')).status, 204)
  assert.equal((await started.call('DELETE', '/v1/collections/shelf')).json.code, 'collection_not_found')
  const found = async (given?: string) =>
    (
      await started.call('POST', '/v1/collections/shelf/search', {
        body: { query: 'e' },
        ...(given === undefined ? {} : { key: given }),
      })
    ).status
  assert.deepEqual([await found(), await found(key)], [404, 200])
  assert.equal((await started.call('GET', json.links.content)).text, 'collected')
})

test('a viewer deletes nothing', async () => {
  const { json } = await upload('seen')
  const refused = await started.call('DELETE', json.links.self, { key: await started.key('viewer') })
  assert.equal(refused.json.code, 'forbidden')
  assert.equal((await started.call('GET', json.links.self)).status, 200)
})

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!holds()) {
    assert.ok(Date.now() < deadline, 'it never came to hold')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
