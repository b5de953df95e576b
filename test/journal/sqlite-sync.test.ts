// The fsync for which the event loop need not wait: who is answered when, and what follows when the disk fails.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { CommitGroup } from '../../src/journal/sqlite/group.ts'
import { type Disk, LogSync } from '../../src/journal/sqlite/log-sync.ts'

/** A disk that ends its syncs when the test says so. */
class SlowDisk implements Disk {
  readonly begun: ((error: Error | null) => void)[] = []
  inPlace = 0
  broken = false
  #begins: (() => void)[] = []

  sync(_file: number, done: (error: Error | null) => void): void {
    this.begun.push(done)
    for (const begin of this.#begins.splice(0)) begin()
  }

  syncNow(): void {
    if (this.broken) throw new Error('EIO')
    this.inPlace++
  }

  async hasBegun(count: number): Promise<void> {
    while (this.begun.length < count) await new Promise<void>((resolve) => this.#begins.push(resolve))
  }
}

function opened(t: TestContext, patienceMs = 60_000) {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-sync-'))
  const file = join(folder, 'journal.db')
  const db = new DatabaseSync(file)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE numbers (n INTEGER) STRICT')
  const disk = new SlowDisk()
  const sync = new LogSync(`${file}-wal`, disk, patienceMs)
  const group = new CommitGroup(db, sync, file, () => 1, [])
  t.after(() => {
    for (const done of disk.begun) done(null)
    sync.close()
    db.close()
    rmSync(folder, { recursive: true })
  })
  const insert = db.prepare('INSERT INTO numbers VALUES (?)')
  const answered: number[] = []
  const write = async (n: number) => {
    await group.run(() => insert.run(n))
    answered.push(n)
  }
  const writeMany = (from: number, count: number) => Array.from({ length: count }, (_, index) => write(from + index))
  const count = () => group.read(() => Number(db.prepare('SELECT count(*) AS n FROM numbers').get()?.n))
  return { disk, group, write, writeMany, answered, count }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('a lone commit is synced in place and answered after it', async (t) => {
  const { disk, write, answered } = opened(t)
  await write(1)
  assert.deepEqual([answered, disk.inPlace, disk.begun.length], [[1], 1, 0])
})

test('what wrote nothing is answered without a sync', async (t) => {
  const { disk, group, write } = opened(t)
  await write(1)
  assert.equal(await group.run(() => 'refused'), 'refused')
  assert.deepEqual([disk.inPlace, disk.begun.length], [1, 0])
})

test('nobody of a group is answered before its sync has ended; who comes meanwhile is the next group', async (t) => {
  const { disk, writeMany, answered } = opened(t)
  const first = writeMany(0, 10)
  await disk.hasBegun(1)
  const second = writeMany(100, 40)
  await turns()
  assert.deepEqual([answered.length, disk.begun.length, disk.inPlace], [0, 1, 0])
  disk.begun[0]!(null)
  await Promise.all(first)
  await turns()
  assert.deepEqual([answered.length, disk.begun.length], [10, 2])
  disk.begun[1]!(null)
  await Promise.all(second)
  assert.equal(answered.length, 50)
})

test('the disk works on the next group before the callers of the last one go on', async (t) => {
  const { disk, write, writeMany } = opened(t)
  const first = writeMany(0, 10)
  const begunThen = write(10).then(() => disk.begun.length)
  await disk.hasBegun(1)
  const second = writeMany(100, 10)
  await turns()
  disk.begun[0]!(null)
  assert.equal(await begunThen, 2)
  disk.begun[1]!(null)
  await Promise.all([...first, ...second])
})

test('where all callers wait for the disk, the event loop syncs in place, until somebody else comes', async (t) => {
  const { disk, writeMany } = opened(t)
  const all = writeMany(0, 20)
  await disk.hasBegun(1)
  disk.begun[0]!(null)
  await Promise.all(all)
  await Promise.all(writeMany(100, 20))
  assert.deepEqual([disk.begun.length, disk.inPlace], [1, 1])
  const some = writeMany(200, 10)
  await disk.hasBegun(2)
  const others = writeMany(300, 10)
  await turns()
  disk.begun[1]!(null)
  await Promise.all(some)
  await disk.hasBegun(3)
  disk.begun[2]!(null)
  await Promise.all(others)
  assert.equal(disk.inPlace, 1)
})

test('a reader is told only what is on disk: it waits for the sync of what it saw', async (t) => {
  const { disk, writeMany, count } = opened(t)
  const group = writeMany(0, 10)
  await disk.hasBegun(1)
  let told: number | undefined
  const reading = count().then((n) => {
    told = n
  })
  await turns()
  assert.equal(told, undefined)
  disk.begun[0]!(null)
  await Promise.all([...group, reading])
  assert.equal(told, 10)
})

test('a sync whose thread does not come to it is done in place', async (t) => {
  const { disk, writeMany, answered } = opened(t, 1)
  await Promise.all(writeMany(0, 10))
  assert.deepEqual([answered.length, disk.inPlace, disk.begun.length], [10, 1, 1])
})

test('after a failed sync nothing is promised or told any more', async (t) => {
  const { disk, group, write, writeMany, count } = opened(t)
  const refused = writeMany(0, 10).map((one) => assert.rejects(one, { code: 'journal_unavailable' }))
  await disk.hasBegun(1)
  const waiting = [...writeMany(100, 40), count()]
  const alsoRefused = waiting.map((one) => assert.rejects(one, { code: 'journal_unavailable' }))
  disk.begun[0]!(new Error('EIO'))
  await Promise.all([...refused, ...alsoRefused])
  await assert.rejects(write(2), { code: 'journal_unavailable' })
  await assert.rejects(count(), { code: 'journal_unavailable' })
  assert.deepEqual([disk.begun.length, disk.inPlace], [1, 0])
  assert.equal(await group.close(), true)
})

test('a failed sync in place refuses the lone commit, and every later one', async (t) => {
  const { disk, write } = opened(t)
  disk.broken = true
  await assert.rejects(write(1), { code: 'journal_unavailable' })
  disk.broken = false
  await assert.rejects(write(2), { code: 'journal_unavailable' })
})

test('closing waits for the disk and puts down what was queued meanwhile', async (t) => {
  const { disk, group, writeMany, answered } = opened(t)
  const first = writeMany(0, 10)
  await disk.hasBegun(1)
  const last = writeMany(100, 3)
  const closed = group.close()
  disk.begun[0]!(null)
  assert.equal(await closed, true)
  await Promise.all([...first, ...last])
  assert.deepEqual([answered.length, disk.inPlace], [13, 1])
})
