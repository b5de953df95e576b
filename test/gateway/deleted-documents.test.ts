// What a deletion meets on its way: an upload of the same bytes, a reader in the middle, a gateway that dies.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { createInProcessBus } from '../../src/bus/in-process.ts'
import { createAbandonedContents } from '../../src/gateway/abandoned-contents.ts'
import { createDocuments, type GatewayStore, openSqliteGatewayStore } from '../../src/gateway/index.ts'
import type { BlobStore } from '../../src/journal/blobs.ts'
import { openFileBlobs } from '../../src/journal/file-blobs.ts'

let folder: string
let blobs: BlobStore
let store: GatewayStore
const bus = createInProcessBus()
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troupe-deleted-'))
  blobs = await openFileBlobs({ folder })
  store = openSqliteGatewayStore({ folder })
})
after(async () => {
  await bus.close()
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const over = (changed: Partial<BlobStore> = {}) =>
  createDocuments({ blobs: { ...blobs, ...changed }, store, bus, maxBytes: 1_000 })
const paper = (text: string) => ({ tenant: 'one', name: 'a.txt', createdBy: 'key_1', content: Buffer.from(text) })
const deleteAtOnce = async (id: string) => {
  await store.removeDocument('one', id)
  await store.clearContents((sha256) => blobs.delete(sha256))
}

test('bytes that are cleared after they arrived again, and before they are named, are refused and not lost', async () => {
  const documents = over()
  const first = await documents.put(paper('the same'))
  const late = documents.put({ ...paper('the same'), confirm: () => deleteAtOnce(first.id) })
  await assert.rejects(late, { code: 'unavailable' })
  assert.deepEqual(await store.documents('one', { limit: 10 }), [])
  const again = await documents.put(paper('the same'))
  assert.equal(Buffer.from((await documents.read('one', again.id)).content).toString(), 'the same')
})

test('a reader who has found the document when it is deleted is told that it is not there, not that data is damaged', async () => {
  const { id } = await over().put(paper('read'))
  const read = async (sha256: string) => {
    await deleteAtOnce(id)
    return await blobs.read(sha256)
  }
  await assert.rejects(over({ read }).read('one', id), { code: 'not_found' })
})

test('what a gateway that died has left abandoned goes at the next start, once the blob store answers', async () => {
  const { id, sha256 } = await over().put(paper('left'))
  await store.removeDocument('one', id)
  const file = join(folder, sha256.slice(0, 2), sha256)
  const log = pino({ level: 'silent' })
  const refused = Promise.withResolvers<void>()
  const away = createAbandonedContents({
    store,
    log,
    blobs: {
      async delete() {
        refused.resolve()
        throw new Error('The blob store is away.')
      },
    },
  })
  away.start()
  await refused.promise
  await away.stop()
  assert.ok(existsSync(file))
  const gone = Promise.withResolvers<void>()
  const next = createAbandonedContents({
    store,
    log,
    blobs: { delete: (content) => blobs.delete(content).then(gone.resolve) },
  })
  next.start()
  await gone.promise
  await next.stop()
  assert.ok(!existsSync(file))
})
