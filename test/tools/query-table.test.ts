import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TroupeError } from '@troupe/sdk'
import { writeXlsx } from 'hucre/xlsx'
import { loadTable } from '../../tools/load-table.ts'
import { queryTable } from '../../tools/query-table.ts'

const context = { signal: new AbortController().signal }
const sales = { name: 'sales', text: 'region,amount,day\nnorth,"1,200.50",2024-01-31\nsouth,n/a,2024-02-01\n' }

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'no error',
    (error: TroupeError) => error.code,
  )
}

test('a csv is queried with typed columns: money as a number, n/a as nothing, dates as dates', async () => {
  const answer = await queryTable.call(
    { tables: [sales], sql: 'SELECT sum(amount) AS total, max(day) AS last FROM sales' },
    context,
  )
  assert.deepEqual(answer.rows, [{ total: 1200.5, last: '2024-02-01' }])
})

test('a csv in an old encoding is read in the letters of its language', async () => {
  // "Регион;Сумма" and towns in windows-1251, as Excel writes them there.
  const letters = (text: string) =>
    Array.from(text, (one) => (one < '\u0400' ? one.charCodeAt(0) : one.charCodeAt(0) - 0x350))
  const bytes = letters('Регион;Сумма\nСанкт-Петербург;100\nНижний Новгород;250\nЕкатеринбург;90\n')
  const { columns, rows } = await loadTable.call({ table: { base64: Buffer.from(bytes).toString('base64') } }, context)
  assert.deepEqual(
    columns.map((column) => column.name),
    ['Регион', 'Сумма'],
  )
  assert.deepEqual(rows[1], { Регион: 'Нижний Новгород', Сумма: 250 })
})

test('an id of more digits than a number holds stays what it is', async () => {
  const text = 'id,n\n9007199254740993,1e300\n12345678901234567890,2\n'
  const { rows } = await loadTable.call({ table: { text } }, context)
  assert.deepEqual(
    rows.map(({ id, n }) => [id, n]),
    [
      ['9007199254740993', 1e300],
      ['12345678901234567890', 2],
    ],
  )
})

test('an xlsx gives the same table as the csv', async () => {
  const bytes = await writeXlsx({
    sheets: [
      {
        name: 'S',
        rows: [
          ['region', 'amount', 'day'],
          ['north', 1200.5, new Date('2024-01-31T00:00:00Z')],
          ['south', null, new Date('2024-02-01T00:00:00Z')],
        ],
      },
    ],
  })
  const table = await loadTable.call({ table: { base64: Buffer.from(bytes).toString('base64') } }, context)
  assert.deepEqual(table.columns, [
    { name: 'region', type: 'text' },
    { name: 'amount', type: 'number' },
    { name: 'day', type: 'date' },
  ])
  assert.deepEqual(table.rows[0], { region: 'north', amount: 1200.5, day: '2024-01-31' })
})

test('json, ndjson and plain rows give the same table', async () => {
  const rows = [
    { a: 1, b: 'x' },
    { a: 2, b: null },
  ]
  for (const table of [
    { text: JSON.stringify(rows) },
    { text: rows.map((row) => JSON.stringify(row)).join('\n') },
    { rows },
  ]) {
    assert.deepEqual((await loadTable.call({ table }, context)).rows, rows)
  }
})

test('a ragged csv is read with its rows padded or cut, each named', async () => {
  const table = await loadTable.call({ table: { text: 'a;b\n1;2\n3\n4;5;6\n' } }, context)
  assert.deepEqual(table.rows, [
    { a: 1, b: 2 },
    { a: 3, b: null },
    { a: 4, b: 5 },
  ])
  assert.deepEqual(
    table.issues.map((issue) => [issue.kind, issue.row]),
    [
      ['ragged_row', 2],
      ['ragged_row', 3],
    ],
  )
})

test('a value that does not fit its column is nothing, and named with its row', async () => {
  const text = `n\n${Array.from({ length: 40 }, (_, index) => (index === 6 ? 'oops' : index)).join('\n')}`
  const table = await loadTable.call({ table: { text } }, context)
  assert.equal(table.columns[0]?.type, 'integer')
  assert.deepEqual(
    table.issues.map(({ row, value }) => [row, value]),
    [[7, 'oops']],
  )
})

test('a code with leading zeros stays text', async () => {
  const table = await loadTable.call({ table: { text: 'zip,n\n00420,1\n10115,2\n' } }, context)
  assert.deepEqual(table.rows[0], { zip: '00420', n: 1 })
})

test('a column with only nulls, a table of one row and a header alone are tables', async () => {
  assert.equal((await loadTable.call({ table: { text: 'a,b\n1,\n2,\n' } }, context)).columns[1]?.type, 'text')
  assert.equal((await loadTable.call({ table: { text: 'a,b\n1,2\n' } }, context)).rowCount, 1)
  assert.equal((await loadTable.call({ table: { text: 'a,b\n' } }, context)).rowCount, 0)
})

test('what is no table is refused as unreadable', async () => {
  for (const table of [
    { text: '' },
    { text: '[{"a":1', format: 'json' },
    { base64: Buffer.from('PK\u0003\u0004broken').toString('base64') },
    { base64: Buffer.from('PAR1broken').toString('base64') },
    { text: 'a,b\n"never closed,2\n' },
    { text: 'a\u0000b' },
  ]) {
    assert.equal(await codeOf(loadTable.call({ table }, context)), 'document_unreadable', JSON.stringify(table))
  }
})

test('a table with too many columns is refused by its limit', async () => {
  const text = Array.from({ length: 16_384 }, (_, index) => `c${index}`).join(',')
  assert.equal(await codeOf(loadTable.call({ table: { text } }, context)), 'limit_exceeded')
})

test('SQL that writes, reads files, changes settings or holds two statements is refused', async () => {
  for (const sql of [
    'INSERT INTO sales VALUES (1)',
    'DROP TABLE sales',
    'CREATE TABLE x AS SELECT 1',
    "COPY sales TO 'stolen.csv'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM glob('/etc/*')",
    "ATTACH 'other.db'",
    'INSTALL httpfs',
    'SET threads = 4',
    'PRAGMA database_list',
    'SELECT 1; DROP TABLE sales',
    '/* SELECT */ CALL pragma_version()',
    'SELECT nothing FROM nowhere',
    '-- nothing',
  ]) {
    assert.equal(await codeOf(queryTable.call({ tables: [sales], sql }, context)), 'query_refused', sql)
  }
})

test('SQL that never ends is stopped by its time limit', async () => {
  const sql = 'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t'
  assert.equal(await codeOf(queryTable.call({ tables: [sales], sql, time: 200 }, context)), 'limit_exceeded')
})

test('SQL that wants too much memory is stopped by its memory limit', async () => {
  const sql = 'SELECT list(a.range || b.range) FROM range(100000) a, range(100000) b'
  assert.equal(await codeOf(queryTable.call({ tables: [sales], sql, time: 30_000 }, context)), 'limit_exceeded')
})

test('an aborted query ends with the reason of its signal', async () => {
  const controller = new AbortController()
  const sql = 'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t'
  const running = queryTable.call({ tables: [sales], sql }, { signal: controller.signal })
  controller.abort(new Error('the task was cancelled'))
  await assert.rejects(running, /the task was cancelled/)
})

test('more rows than asked for are cut, and said to be', async () => {
  const answer = await queryTable.call({ tables: [sales], sql: 'SELECT range AS n FROM range(50)', rows: 10 }, context)
  assert.equal(answer.rows.length, 10)
  assert.equal(answer.truncated, true)
})
