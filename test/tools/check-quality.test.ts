import assert from 'node:assert/strict'
import { test } from 'node:test'
import { random } from '../../bench/random.ts'
import { checkQuality } from '../../tools/check-quality.ts'
import { compareDrift } from '../../tools/compare-drift.ts'

const context = { signal: new AbortController().signal }
const STATES = ['open', 'paid', 'shipped']

function orders(count: number, seed = 1) {
  const draw = random(seed)
  return Array.from({ length: count }, (_, row) => {
    const quantity = draw.integer(1, 9)
    const price = draw.integer(100, 900) / 10
    const day = draw.integer(1, 27)
    return {
      order_id: 10_000 + row * 3,
      email: `user${row}@example.org`,
      code: `AB-${String(1000 + row)}`,
      state: STATES[draw.integer(0, 2)]!,
      quantity,
      price,
      total: Math.round(quantity * price * 100) / 100,
      ordered: `2024-05-${String(day).padStart(2, '0')}`,
      shipped: `2024-06-${String(draw.integer(1, 29)).padStart(2, '0')}`,
    }
  })
}
type Order = Record<string, string | number | null>

test('a clean table meets every inferred expectation and scores 1', async () => {
  const { scores, violations } = await checkQuality.call({ table: { rows: orders(300) } }, context)
  assert.deepEqual(violations, [])
  assert.equal(scores.overall, 1)
  assert.match(scores.how, /completeness × 2/)
})

test('each planted fault is found by inference, with its row', async () => {
  const rows: Order[] = orders(300)
  rows[10]!.email = 'not an address'
  rows[20]!.code = 'AB_1020'
  rows[30]!.state = 'shiped'
  rows[40]!.total = 1
  rows[50]!.shipped = '2023-06-01'
  rows[60]!.order_id = rows[0]!.order_id!
  rows[70]!.quantity = null
  rows[80]!.price = -5
  const { violations, scores } = await checkQuality.call({ table: { rows } }, context)
  const rowsOf = (kind: string, column: string) =>
    violations.find((one) => one.kind === kind && one.columns.includes(column))?.examples.map((example) => example.row)
  assert.deepEqual(rowsOf('pattern', 'email'), [11])
  assert.deepEqual(rowsOf('pattern', 'code'), [21])
  assert.deepEqual(rowsOf('set', 'state'), [31])
  assert.deepEqual(rowsOf('compare', 'shipped'), [51])
  assert.deepEqual(rowsOf('unique', 'order_id'), [1, 61])
  assert.deepEqual(rowsOf('filled', 'quantity'), [71])
  assert.deepEqual(rowsOf('range', 'price'), [81])
  assert.ok(violations.find((one) => one.kind === 'condition')?.examples.some((example) => example.row === 41))
  assert.ok(scores.overall < 1 && scores.overall > 0.95)
})

test('given expectations of every kind hold or are broken with their rows', async () => {
  const rows = orders(50)
  const references = [
    {
      name: 'customers',
      rows: rows.slice(1).map((row) => ({ mail: row.email, order_id: row.order_id, quantity: row.quantity })),
    },
  ]
  const check = async (expectation: object) => {
    const { expectations } = await checkQuality.call(
      { table: { rows }, references, infer: false, expectations: [expectation] },
      context,
    )
    return [expectations[0]!.holds, expectations[0]!.broken]
  }
  assert.deepEqual(await check({ kind: 'column', column: 'quantity', type: 'number' }), [true, 0])
  assert.deepEqual(await check({ kind: 'column', column: 'absent' }), [false, 1])
  assert.deepEqual(await check({ kind: 'range', column: 'quantity', min: 1, max: 9 }), [true, 0])
  assert.deepEqual(await check({ kind: 'range', column: 'ordered', min: '2024-06-01' }), [false, 50])
  assert.deepEqual(await check({ kind: 'set', column: 'state', values: STATES }), [true, 0])
  assert.deepEqual(await check({ kind: 'unique', columns: ['order_id', 'email'] }), [true, 0])
  assert.deepEqual(await check({ kind: 'pattern', column: 'code', pattern: 'AB-\\d{4}' }), [true, 0])
  assert.deepEqual(await check({ kind: 'compare', left: 'ordered', operator: '<', right: 'shipped' }), [true, 0])
  assert.deepEqual(await check({ kind: 'condition', sql: 'total >= price' }), [true, 0])
  assert.deepEqual(await check({ kind: 'reference', column: 'email', table: 'customers', of: 'mail' }), [false, 1])
  assert.deepEqual(
    await check({ kind: 'reference', column: 'email', table: 'customers', of: 'mail', tolerance: 0.05 }),
    [true, 1],
  )
  assert.deepEqual(await check({ kind: 'fresh', column: 'ordered', days: 30, now: '2024-06-01' }), [true, 0])
  assert.equal((await check({ kind: 'fresh', column: 'ordered', days: 30, now: '2024-09-01' }))[0], false)
  assert.deepEqual(await check({ kind: 'rows', min: 60 }), [false, 1])
  assert.deepEqual(
    await check({ kind: 'accurate', column: 'quantity', table: 'customers', of: 'quantity', key: 'order_id' }),
    [true, 0],
  )
})

test('a condition that is more than a condition, or wrong SQL, is refused', async () => {
  for (const sql of ['1 = 1; DROP TABLE data', 'nothing > 3', "(SELECT count(*) FROM read_csv('/etc/passwd')) > 0"]) {
    await assert.rejects(
      checkQuality.call(
        { table: { rows: orders(20) }, infer: false, expectations: [{ kind: 'condition', sql }] },
        context,
      ),
      { code: 'query_refused' },
      sql,
    )
  }
})

test('ragged rows and misfit values of a csv are violations with their rows', async () => {
  const text = `a,b\n${Array.from({ length: 60 }, (_, row) => (row === 4 ? '5' : row === 7 ? 'x,1' : `${row},${row}`)).join('\n')}\n`
  const { violations } = await checkQuality.call({ table: { text } }, context)
  assert.deepEqual(
    violations.find((one) => one.kind === 'ragged')?.examples.map((example) => example.row),
    [5],
  )
  assert.deepEqual(violations.find((one) => one.kind === 'column')?.examples, [{ row: 8, value: 'x' }])
})

test('one row, no row and only nulls are checked without a crash', async () => {
  for (const text of ['a,b\n1,2\n', 'a,b\n', 'a,b\n,\n,\n']) await checkQuality.call({ table: { text } }, context)
})

test('two samples of one source do not drift; a shifted, a retyped and a missing column do', async () => {
  const reference = { rows: orders(800, 1) }
  const same = await compareDrift.call({ reference, table: { rows: orders(500, 2) } }, context)
  assert.equal(same.drift, 'none', JSON.stringify(same.columns))
  const rows = orders(500, 3).map(({ state, price, quantity, ...row }) => ({
    ...row,
    price: price + 40,
    quantity: `${quantity} pieces`,
  }))
  const other = await compareDrift.call({ reference, table: { rows } }, context)
  const byName = Object.fromEntries(other.columns.map((column) => [column.column, column.drift]))
  assert.equal(byName.state, 'missing')
  assert.equal(byName.price, 'strong')
  assert.equal(byName.quantity, 'type')
  assert.equal(other.drift, 'strong')
})

test('what is given is not inferred again: it is reported once and scored once', async () => {
  const rows = Array.from({ length: 40 }, (_, n) => ({
    order_id: n === 7 ? 'O-6' : `O-${n}`,
    email: `user${n}@shop.example`,
  }))
  const given = [{ kind: 'unique', columns: ['order_id'] }]
  const { expectations } = await checkQuality.call({ table: { rows }, expectations: given }, context)
  const unique = expectations.filter((one) => one.expectation === 'order_id is unique')
  assert.deepEqual(
    unique.map(({ severity }) => severity),
    ['error'],
  )
  assert.ok(expectations.some((one) => one.expectation === 'email looks like an e-mail address'))
})
