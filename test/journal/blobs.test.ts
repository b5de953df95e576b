// The contract of the blob stores (contract/blobs.ts), and the sweep of values that nothing names any more.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import type { ErrorRecord } from '../../src/contract/errors.ts'
import { newId } from '../../src/contract/ids.ts'
import type { BlobStore } from '../../src/journal/blobs.ts'
import { openFileBlobs } from '../../src/journal/file-blobs.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openPostgresBlobs, openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { blobContract } from './contract/blobs.ts'
import { apply, basisOf, commitOn, eventTypes, loaded, owned } from './contract/make.ts'

const large = (mark: string) => mark.repeat(100_000)

/** Neither of the two puts leaves a piece behind, large as it was. */
async function breakOff(blobs: BlobStore): Promise<void> {
  async function* broken() {
    yield randomBytes(1_200_000)
    throw new Error('the upload broke off')
  }
  await assert.rejects(blobs.put(Readable.from(broken())), /broke off/)
  const tooLarge = Readable.from([randomBytes(600_000), randomBytes(600_000)])
  await assert.rejects(blobs.put(tooLarge, { maxBytes: 700_000 }), { code: 'value_too_large' })
}

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

const journalCorrupt = { code: 'journal_corrupt', message: /damaged/ }

/** Whatever `damage` does to its large values, the rest of a task stays readable. */
async function verifyReadable(journal: Journal, damage: () => Promise<void> | void): Promise<void> {
  const text = newId('doc').repeat(4_000)
  const task = await owned(journal, 'h', { input: text, metadata: { kept: 'yes' } })
  const error = { code: 'step_failed', message: text } as const
  const events = [{ type: 'task.failed', error: { code: 'step_failed', message: 'too long' } } as const]
  await apply(journal, commitOn(task, { state: 'failed', release: true, output: `${text}o`, error, events }))
  assert.deepEqual((await journal.get(task.id))?.error, error)
  await damage()
  const shown = await journal.get(task.id, task.tenant)
  assert.deepEqual([shown?.state, shown?.metadata, shown?.error?.code], ['failed', { kept: 'yes' }, 'journal_corrupt'])
  for (const value of [shown?.input, shown?.output]) {
    const { $blob, bytes, error: why } = value as { $blob: string; bytes: number; error: ErrorRecord }
    assert.match($blob, /^[0-9a-f]{64}$/)
    assert.equal(why.code, 'journal_corrupt')
    assert.ok(bytes > text.length)
  }
  assert.equal((await eventTypes(journal, task.id)).at(-1), 'task.failed')
  await assert.rejects(journal.load(task.id), { code: 'journal_corrupt' }, 'nobody runs it with half of what it was')
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

  test('what broke off or was refused leaves no file behind', async () => {
    await breakOff(blobs)
    assert.deepEqual(readdirSync(join(folder, 'incoming')), [])
  })

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

  test('a task whose large values are missing or damaged can be read, and says which; it cannot be run', async () => {
    const own = join(folder, 'damaged')
    const journal = await openSqliteJournal({ folder: own })
    const each = (change: (file: string) => void) => () => {
      const names = readdirSync(join(own, 'values'), { recursive: true, encoding: 'utf8' })
      for (const name of names.filter((name) => name.length > 64)) change(join(own, 'values', name))
    }
    await verifyReadable(
      journal,
      each((file) => rmSync(file)),
    )
    await verifyReadable(
      journal,
      each((file) => writeFileSync(file, '"other"')),
    )
    await journal.close()
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

  test('a task whose large values are missing or damaged can be read, and says which; it cannot be run', async (t) => {
    const journal = await openPostgresJournal({ url: server.url, schema: 'damaged' })
    t.after(() => journal.close())
    const client = new pg.Client({ connectionString: server.url, options: '-c search_path=damaged' })
    await client.connect()
    t.after(() => client.end())
    for (const damage of [
      'DELETE FROM blobs',
      'DELETE FROM blob_pieces',
      'UPDATE blob_pieces SET content = set_byte(content, 9, 66)',
    ]) {
      await verifyReadable(journal, async () => void (await client.query(damage)))
    }
  })

  test('what broke off or was refused leaves no pieces behind', async (t) => {
    const client = new pg.Client({ connectionString: server.url, options: '-c search_path=troupe' })
    await client.connect()
    t.after(() => client.end())
    await breakOff(blobs)
    assert.equal((await client.query("SELECT 1 FROM blob_pieces WHERE sha256 LIKE 'arriving:%'")).rowCount, 0)
  })

  test('who reads a content of which a piece is gone is not given the rest for the whole', async (t) => {
    const client = new pg.Client({ connectionString: server.url, options: '-c search_path=troupe' })
    await client.connect()
    t.after(() => client.end())
    const { sha256 } = await blobs.put(randomBytes(1_200_000))
    await client.query('DELETE FROM blob_pieces WHERE sha256 = $1 AND number = 2', [sha256])
    await assert.rejects(blobs.read(sha256), journalCorrupt)
    await assert.rejects(buffer((await blobs.stream(sha256))!), journalCorrupt)
  })

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
