// The contract of the blob stores (contract/blobs.ts), and the sweep of values that nothing names any more.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { newId } from '../../src/contract/ids.ts'
import type { BlobStore } from '../../src/journal/blobs.ts'
import { openFileBlobs } from '../../src/journal/file-blobs.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openPostgresBlobs, openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { blobContract } from './contract/blobs.ts'
import { apply, basisOf, commitOn, loaded, owned } from './contract/make.ts'

const large = (mark: string) => mark.repeat(100_000)

/** Two tasks with large values: one completed, whose snapshot nothing names any more, and one that runs. */
async function tasksWithLargeValues(journal: Journal): Promise<{ completed: string; running: string }> {
  const [one, other] = [
    await owned(journal, 'h', { input: large('i') }),
    await owned(journal, 'h', { input: large('j') }),
  ]
  for (const [task, mark] of [
    [one, 's'],
    [other, 't'],
  ] as const) {
    const outcome = await apply(
      journal,
      commitOn(task, { snapshot: large(mark), steps: { a: { ok: true, value: large(`${mark}a`) } } }),
    )
    Object.assign(task, basisOf(outcome))
  }
  await apply(journal, commitOn(one, { state: 'completed', release: true, output: large('o') }))
  return { completed: one.id, running: other.id }
}

async function verifyKept(journal: Journal, ids: { completed: string; running: string }): Promise<void> {
  const { task: completed } = await loaded(journal, ids.completed)
  assert.ok(completed.input === large('i') && completed.output === large('o'))
  const { task: running, steps } = await loaded(journal, ids.running)
  assert.ok(running.input === large('j') && running.snapshot === large('t'))
  assert.deepEqual(steps.a, { ok: true, value: large('ta') })
}

describe('blobs in files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-blobs-'))
  let blobs: BlobStore
  before(async () => {
    blobs = await openFileBlobs({ folder })
  })
  after(async () => {
    await blobs.close()
    rmSync(folder, { recursive: true })
  })
  blobContract(() => blobs)

  test('what a crash left half-written is removed when the store opens', async () => {
    const own = join(folder, 'own')
    await (await openFileBlobs({ folder: own })).close()
    writeFileSync(join(own, 'incoming', 'half'), 'half')
    await (await openFileBlobs({ folder: own })).close()
    assert.deepEqual(readdirSync(join(own, 'incoming')), [])
  })

  test('what the disk made of a blob is not given for what was written; writing it again mends it', async () => {
    const content = randomBytes(600_000)
    const { sha256 } = await blobs.put(content)
    const file = join(folder, sha256.slice(0, 2), sha256)
    const corrupt = { code: 'journal_corrupt', message: /is damaged/ }
    const flipped = Buffer.from(content)
    flipped[flipped.length - 1]! ^= 1
    for (const wrong of [flipped, content.subarray(0, 1_000)]) {
      writeFileSync(file, wrong)
      await assert.rejects(blobs.read(sha256), corrupt)
      await assert.rejects(buffer((await blobs.stream(sha256))!), corrupt)
    }
    await assert.rejects(blobs.stream(sha256, { start: 0, end: 1_000 }), corrupt)
    await blobs.put(content)
    assert.ok(content.equals((await blobs.read(sha256))!))
  })

  test('purge sweeps away values that no task names, once they are old', async () => {
    const own = join(folder, 'journal')
    const journal = await openSqliteJournal({ folder: own })
    const ids = await tasksWithLargeValues(journal)
    const files = () =>
      readdirSync(join(own, 'values'), { recursive: true, encoding: 'utf8' }).filter((name) => name.length > 64)
    const purgeAll = async (before: number) => {
      for (let round = 0; round < 256; round++) await journal.purge(before, 100)
    }
    assert.equal(files().length, 7)
    await purgeAll(0)
    assert.equal(files().length, 7, 'young ones stay')
    for (const name of files()) utimesSync(join(own, 'values', name), 0, 0)
    await purgeAll(0)
    assert.equal(files().length, 5)
    await verifyKept(journal, ids)
    await purgeAll((await journal.now()) + 1)
    assert.equal(files().length, 3, 'the completed task and its values are gone')
    await journal.close()
  })
})

describe('blobs in Postgres', { skip: missing('postgres') }, () => {
  let server: TestServer
  let blobs: BlobStore
  before(async () => {
    server = await startPostgres()
    blobs = await openPostgresBlobs({ url: server.url, space: 'documents' })
  })
  after(async () => {
    await blobs.close()
    await server.stop()
  })
  blobContract(() => blobs)

  test('purge sweeps away values that no task names, once they are old, and no documents', async () => {
    const document = await blobs.put(Buffer.from(newId('doc')))
    const journal = await openPostgresJournal({ url: server.url })
    const ids = await tasksWithLargeValues(journal)
    const client = new pg.Client({ connectionString: server.url, options: '-c search_path=troupe' })
    await client.connect()
    const count = async () =>
      Number(
        (await client.query("SELECT count(DISTINCT sha256) FROM blob_pieces WHERE space = 'values'")).rows[0].count,
      )
    assert.equal(await count(), 7)
    await journal.purge(0, 100)
    assert.equal(await count(), 7, 'young ones stay')
    await client.query('UPDATE blobs SET touched_at = 0')
    await journal.purge(0, 100)
    assert.equal(await count(), 5)
    await verifyKept(journal, ids)
    await journal.purge((await journal.now()) + 1, 100)
    await journal.purge(0, 100)
    assert.equal(await count(), 3, 'the completed task and its values are gone')
    assert.ok(await blobs.read(document.sha256))
    await client.end()
    await journal.close()
  })
})
