import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createInProcessBus } from '../../src/bus/in-process.ts'
import { createAccept } from '../../src/desk/accepting.ts'
import { createPatience } from '../../src/desk/patience.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { makeTask } from '../journal/contract/make.ts'

test('who comes while others have waited too long is refused at once, until they are answered', () => {
  let now = 0
  const patience = createPatience(1_500, () => now)
  const first = patience.enter()
  now = 1_500
  const second = patience.enter()
  now = 1_501
  assert.throws(() => patience.enter(), { code: 'journal_unavailable', status: 503, passing: true })
  patience.leave(second)
  assert.throws(() => patience.enter(), { code: 'journal_unavailable' })
  patience.leave(first)
  patience.leave(patience.enter())
})

test('an acceptance that fails frees its place as one that is answered does', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-patience-'))
  const journal = await openSqliteJournal({ folder })
  t.after(async () => {
    await journal.close()
    rmSync(folder, { recursive: true })
  })
  let now = 0
  const parts = { bus: createInProcessBus(), patience: createPatience(1_500, () => now) }
  const draft = () => ({ task: makeTask(), small: true })
  const away = createAccept({ ...parts, journal: { ...journal, accept: () => Promise.reject(new Error('away')) } })
  await assert.rejects(
    away(draft(), undefined, () => {}),
    /away/,
  )
  now = 60_000
  const accept = createAccept({ ...parts, journal })
  assert.equal((await accept(draft(), undefined, () => {})).created, true)
})
