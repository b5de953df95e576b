// A table out of an SQLite file that anyone may have made.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { loadTable } from '../../tools/load-table.ts'
import { queryTable } from '../../tools/query-table.ts'

const context = { signal: new AbortController().signal }

async function fileOf(sql: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-sqlite-'))
  try {
    const path = join(folder, 'made.db')
    const database = new DatabaseSync(path)
    database.exec(sql)
    database.close()
    return (await readFile(path)).toString('base64')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const SHOP = `
  CREATE TABLE sales (region TEXT, amount REAL, day TEXT, big INTEGER, raw BLOB);
  INSERT INTO sales VALUES ('north', 12.5, '2024-01-02', 9007199254740993, x'0102'), (NULL, NULL, NULL, NULL, NULL);
`

test('the only table of an SQLite file is read with its types, and queried like a csv', async () => {
  const base64 = await fileOf(SHOP)
  const { format, columns, rows } = await loadTable.call({ table: { base64 } }, context)
  assert.equal(format, 'sqlite')
  assert.deepEqual(
    columns.slice(0, 3).map(({ type }) => type),
    ['text', 'number', 'date'],
  )
  assert.deepEqual(rows[0], {
    region: 'north',
    amount: 12.5,
    day: '2024-01-02',
    big: '9007199254740993',
    raw: '2 bytes',
  })
  const answer = await queryTable.call({ tables: [{ base64 }], sql: 'SELECT count(amount) AS n FROM data' }, context)
  assert.deepEqual(answer.rows, [{ n: 1 }])
})

test('one of several tables is named as the sheet; without a name the error lists them', async () => {
  const base64 = await fileOf(`${SHOP} CREATE TABLE shops (name TEXT); INSERT INTO shops VALUES ('a'), ('b');`)
  const { rowCount } = await loadTable.call({ table: { base64, sheet: 'shops' } }, context)
  assert.equal(rowCount, 2)
  for (const sheet of [undefined, 'nothing', 'sqlite_schema']) {
    const table = sheet === undefined ? { base64 } : { base64, sheet }
    await assert.rejects(loadTable.call({ table }, context), { code: 'invalid_input', message: /sales, shops/ })
  }
})

test('a view is not a table: its SQL is never run', async () => {
  const endless =
    'CREATE VIEW trap AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n FROM r) SELECT count(*) FROM r;'
  const base64 = await fileOf(`${SHOP} ${endless}`)
  assert.equal((await loadTable.call({ table: { base64 } }, context)).rowCount, 2)
  await assert.rejects(loadTable.call({ table: { base64, sheet: 'trap' } }, context), { code: 'invalid_input' })
})

test('an empty, truncated or damaged SQLite file is named, and leaves no file behind', async () => {
  const left = async () => (await readdir(tmpdir())).filter((name) => /^table-.*sqlite/.test(name)).length
  const before = await left()
  const whole = Buffer.from(await fileOf(SHOP), 'base64')
  const damaged = Buffer.from(whole).fill(0xff, 100)
  for (const bytes of [whole.subarray(0, 512), damaged]) {
    const table = { base64: bytes.toString('base64') }
    await assert.rejects(loadTable.call({ table }, context), { code: 'document_unreadable' })
  }
  const base64 = await fileOf('CREATE TABLE gone (a); DROP TABLE gone;')
  await assert.rejects(loadTable.call({ table: { base64 } }, context), {
    code: 'invalid_input',
    message: /there is none/,
  })
  assert.equal(await left(), before)
})
