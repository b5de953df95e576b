// What can happen to the files of the SQLite journal: a second process, a crash, damage, a newer version, a full disk.
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import type { EventBody } from '../../src/contract/events.ts'
import { newId } from '../../src/contract/ids.ts'
import type { ActorCommit } from '../../src/journal/journal.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { accepted, apply, basisOf, commitOn, eventTypes, loaded, makeTask, owned, signal } from './contract/make.ts'

const CHILD = join(import.meta.dirname, 'busy-journal.ts')

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-journal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A process that writes into the journal as fast as it can and prints the id of each task it was promised. */
async function busyProcess(t: TestContext, folder: string): Promise<{ child: ChildProcess; promised: string[] }> {
  const child = spawn(process.execPath, [CHILD, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const promised: string[] = []
  await new Promise<void>((resolve) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      promised.push(line)
      if (promised.length === 500) resolve()
    })
  })
  return { child, promised }
}

async function killed(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  await closed
}

test('a second process on the same folder is refused as journal_locked, until the first one is gone, however it went', async (t) => {
  const folder = temporaryFolder(t)
  const { child } = await busyProcess(t, folder)
  await assert.rejects(openSqliteJournal({ folder }), { code: 'journal_locked' })
  await killed(child)
  await (await openSqliteJournal({ folder })).close()
})

test('a second journal in the same process is refused too', async (t) => {
  const folder = temporaryFolder(t)
  const journal = await openSqliteJournal({ folder })
  await assert.rejects(openSqliteJournal({ folder }), { code: 'journal_locked' })
  await journal.close()
  await (await openSqliteJournal({ folder })).close()
})

test('after SIGKILL in the midst of commits, all that was promised is there and nothing is half-done', async (t) => {
  const folder = temporaryFolder(t)
  const { child, promised } = await busyProcess(t, folder)
  await killed(child)
  const journal = await openSqliteJournal({ folder })
  t.after(() => journal.close())
  for (const id of promised) assert.ok(await journal.get(id), `${id} was promised`)
  let cursor: string | undefined
  let seen = 0
  do {
    const page = await journal.list({ limit: 500, ...(cursor === undefined ? {} : { cursor }) })
    for (const { id, lastEvent, state, output } of page.tasks) {
      seen++
      const types = await eventTypes(journal, id)
      assert.equal(types.length, lastEvent)
      assert.equal(state === 'completed', types.at(-1) === 'task.completed')
      assert.equal(state === 'completed', output !== undefined)
    }
    cursor = page.nextCursor
  } while (cursor !== undefined)
  const counted = (await journal.counts()).reduce((sum, { tasks }) => sum + tasks, 0)
  assert.equal(counted, seen)
})

test('what was committed is there after closing and opening again', async (t) => {
  const folder = temporaryFolder(t)
  const before = await openSqliteJournal({ folder })
  const task = await owned(before, newId('host'), { input: 'x'.repeat(100_000) })
  await apply(before, commitOn(task, { snapshot: { n: 1 } }))
  const was = await loaded(before, task.id)
  await before.close()
  const after = await openSqliteJournal({ folder })
  assert.deepEqual(await loaded(after, task.id), was)
  await after.close()
})

test('a closed journal refuses every verb as journal_unavailable', async (t) => {
  const journal = await openSqliteJournal({ folder: temporaryFolder(t) })
  await journal.close()
  await assert.rejects(accepted(journal), { code: 'journal_unavailable' })
  await assert.rejects(async () => journal.get(newId('task')), { code: 'journal_unavailable' })
  await journal.close()
})

test('a clock that is set back does not take the journal’s time with it', async (t) => {
  let now = 1_000_000
  const journal = await openSqliteJournal({ folder: temporaryFolder(t), clock: () => now })
  t.after(() => journal.close())
  const first = await accepted(journal)
  now = 500_000
  assert.equal(await journal.now(), 1_000_000)
  assert.ok((await accepted(journal)).createdAt >= first.createdAt)
})

test('a journal of a newer Troupe is refused as journal_newer and left as it is', async (t) => {
  const folder = temporaryFolder(t)
  await (await openSqliteJournal({ folder })).close()
  const db = new DatabaseSync(join(folder, 'journal.db'))
  db.exec('PRAGMA user_version = 999')
  db.close()
  await assert.rejects(openSqliteJournal({ folder }), { code: 'journal_newer' })
  await assert.rejects(openSqliteJournal({ folder }), { code: 'journal_newer' })
})

/** What the versions after it added and took away, undone. */
const EARLIER = {
  1: 'DROP TABLE erased; DROP TRIGGER tasks_unlabelled; DROP TABLE labels; PRAGMA user_version = 1',
  2: `DROP TABLE erased; CREATE TRIGGER tasks_labelled AFTER INSERT ON tasks WHEN substr(NEW.metadata, 1, 1) = '[' BEGIN
      INSERT INTO labels SELECT NEW.tenant, key || ':' || value, NEW.created_at, NEW.id FROM json_each(NEW.metadata, '$[1]');
    END; PRAGMA user_version = 2`,
  3: 'DROP TABLE erased; PRAGMA user_version = 3',
}

for (const version of [1, 2, 3] as const) {
  test(`a journal of version ${version} is migrated: its tasks are as they were and go on, and new ones have labels`, async (t) => {
    const folder = temporaryFolder(t)
    const before = await openSqliteJournal({ folder })
    const task = await owned(before, newId('host'), { input: 'x'.repeat(100_000) })
    const changes: Partial<ActorCommit> = {
      snapshot: { n: 1 },
      steps: { s: { ok: true, value: 1 } },
      timersSet: [{ id: 'late', inMs: 3_600_000 }],
    }
    const basis = basisOf(await apply(before, commitOn(task, changes)))
    await before.deliver(signal(task.id, 'unread'))
    const was = await loaded(before, task.id)
    await before.close()
    const db = new DatabaseSync(join(folder, 'journal.db'))
    db.exec(EARLIER[version])
    db.close()

    const after = await openSqliteJournal({ folder })
    t.after(() => after.close())
    assert.deepEqual(await loaded(after, task.id), was)
    assert.equal((await after.fireTimers(10)).woken.length, 0)
    await apply(after, commitOn({ ...task, ...basis }, { state: 'completed', release: true, mailRead: 1 }))
    assert.deepEqual(await eventTypes(after, task.id), ['task.accepted', 'task.started'])
    const { id } = await accepted(after, { labels: { a: 'b' } })
    const { tasks } = await after.list({ tenant: task.tenant, labels: ['a:b'], limit: 5 })
    assert.deepEqual(
      tasks.map((found) => found.id),
      [id],
    )
  })
}

test('a file that is not a database is refused as journal_corrupt', async (t) => {
  const folder = temporaryFolder(t)
  await (await openSqliteJournal({ folder })).close()
  overwrite(join(folder, 'journal.db'), 0, 'this is not a database, it never was one')
  await assert.rejects(openSqliteJournal({ folder }), { code: 'journal_corrupt' })
})

test('a file that lost all it held is refused as journal_corrupt and left as it is; without it a journal begins anew', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'journal.db')
  const lost = { code: 'journal_corrupt', message: /journal\.db is empty.*Restore a backup, or remove the file/ }
  writeFileSync(file, '')
  await (await openSqliteJournal({ folder })).close()
  truncateSync(file, 0)
  for (let tries = 1; tries <= 2; tries++) await assert.rejects(openSqliteJournal({ folder }), lost)
  assert.equal(statSync(file).size, 0)
  // What is left of a young journal whose log beside it is gone.
  const bare = new DatabaseSync(file)
  bare.exec('PRAGMA journal_mode = WAL')
  bare.close()
  assert.equal(statSync(file).size, 4096)
  await assert.rejects(openSqliteJournal({ folder }), lost)
  rmSync(file)
  await (await openSqliteJournal({ folder })).close()
})

test('damage inside the file is found when it is opened after a crash', async (t) => {
  const folder = temporaryFolder(t)
  const { child } = await busyProcess(t, folder)
  await killed(child)
  await (await openSqliteJournal({ folder })).close()
  // As a crash would leave it: not closed.
  const db = new DatabaseSync(join(folder, 'journal.db'))
  db.exec("UPDATE opened SET by = 'an earlier boot'")
  db.close()
  const file = join(folder, 'journal.db')
  for (let page = 3; page * 4096 < statSync(file).size; page += 2) overwrite(file, page * 4096, 'damaged'.repeat(50))
  await assert.rejects(openSqliteJournal({ folder }), { code: 'journal_corrupt' })
})

test('a full disk refuses commits as disk_full, loses nothing, and is forgotten when there is space again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-journal-'))
  const small = mounted(folder, '6m')
  if (!small) {
    rmSync(folder, { recursive: true })
    return t.skip('only root may mount a small disk')
  }
  const journal = await openSqliteJournal({ folder })
  t.after(async () => {
    await journal.close()
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  })
  const running = await owned(journal, newId('host'))
  const promised: string[] = []
  let refusal: unknown
  while (refusal === undefined) {
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, () => accepted(journal, { input: 'x'.repeat(20_000) })),
    )
    for (const result of results) {
      if (result.status === 'fulfilled') promised.push(result.value.id)
      else refusal = result.reason
    }
  }
  assert.equal((refusal as { code: string }).code, 'disk_full')
  for (const id of promised) assert.equal((await journal.get(id))?.id, id)
  const fill = async () =>
    Object.assign(running, basisOf(await apply(journal, commitOn(running, { events: [note(running.version)] }))))
  await assert.rejects(
    async () => {
      while (running.version < 10_000) await fill()
    },
    { code: 'disk_full' },
  )
  execFileSync('mount', ['-o', 'remount,size=64m', folder])
  // What was rolled back counts for nothing: the commit that found no space fits the row as it is.
  await fill()
  assert.equal((await eventTypes(journal, running.id)).length, running.version + 1)
  const task = await owned(journal, newId('host'))
  assert.deepEqual(await eventTypes(journal, task.id), ['task.accepted', 'task.started'])
  await assert.doesNotReject(journal.accept(makeTask({ input: 'x'.repeat(200_000) })))
})

function note(version: number): EventBody {
  return { type: 'progress', message: `${version}`.padEnd(12_000) }
}

function mounted(folder: string, size: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function overwrite(file: string, at: number, text: string): void {
  const handle = openSync(file, 'r+')
  writeSync(handle, text, at)
  assert.ok(readFileSync(file).includes(text.slice(0, 7)))
}
