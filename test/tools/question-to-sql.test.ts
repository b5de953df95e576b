import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { questionToSql } from '../../tools/question-to-sql.ts'

const context = { signal: new AbortController().signal }
const PRODUCTS = ['Chair', 'Table', 'Lamp', 'Desk', 'Shelf', 'Sofa']
const REGIONS = ['North', 'South', 'West']
const rows = Array.from({ length: 720 }, (_, row) => {
  const month = row % 24
  const product = row % PRODUCTS.length
  return {
    order_date: new Date(Date.UTC(2023, month, 1 + (row % 28))).toISOString().slice(0, 10),
    product: PRODUCTS[product]!,
    region: REGIONS[(row % 7) % 3]!,
    revenue: 100 + product * 10 + (month >= 12 ? product * 20 : 0) + (row % 13),
    quantity: 1 + (row % 9),
    unit_price: 5 + (row % 4),
  }
})
const database = new DatabaseSync(':memory:')
database.exec('CREATE TABLE data (order_date, product, region, revenue, quantity, unit_price)')
for (const row of rows) database.prepare('INSERT INTO data VALUES (?, ?, ?, ?, ?, ?)').run(...Object.values(row))

async function answer(question: string) {
  const result = await questionToSql.call({ table: { rows }, question }, context)
  const other = database
    .prepare(result.sql)
    .all()
    .map((row) => ({ ...row }))
  const rounded = (list: object[]) =>
    list.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => [
          key,
          typeof value === 'number' ? Math.round(value * 1e6) / 1e6 : value,
        ]),
      ),
    )
  assert.deepEqual(rounded(other), rounded(result.rows), `SQLite agrees on ${result.sql}`)
  return result
}
const sum = (pick: (row: (typeof rows)[number]) => boolean) =>
  rows.filter(pick).reduce((total, row) => total + row.revenue, 0)

test('total revenue by region in 2024', async () => {
  const { rows: answered } = await answer('What was the total revenue by region in 2024?')
  assert.equal(answered.length, 3)
  const north = answered.find((row) => row.region === 'North')
  assert.equal(
    north?.total_revenue,
    sum((row) => row.region === 'North' && row.order_date.startsWith('2024')),
  )
})

test('top 5 products by growth', async () => {
  const { rows: answered, assumptions } = await answer('top 5 products by growth')
  assert.deepEqual(
    answered.map((row) => row.product),
    ['Sofa', 'Shelf', 'Desk', 'Lamp', 'Table'],
  )
  assert.deepEqual(assumptions, [
    'revenue is meant',
    'the total of revenue is meant',
    'growth is from the first half of the time to the second',
  ])
})

test('growth between two years', async () => {
  const { rows: answered } = await answer('growth of revenue by product between 2023 and 2024')
  const sofa = answered.find((row) => row.product === 'Sofa')
  assert.equal(
    sofa?.before,
    sum((row) => row.product === 'Sofa' && row.order_date.startsWith('2023')),
  )
  assert.equal(
    sofa?.after,
    sum((row) => row.product === 'Sofa' && row.order_date.startsWith('2024')),
  )
})

test('a value of a dimension is a condition, with or without its column', async () => {
  const north = sum((row) => row.region === 'North')
  for (const question of [
    'revenue in the North',
    'total revenue where region is north',
    'sum of revenue for north region',
  ]) {
    assert.deepEqual((await answer(question)).rows, [{ total_revenue: north }], question)
  }
  assert.deepEqual((await answer('total revenue where region is not north')).rows, [
    { total_revenue: sum(() => true) - north },
  ])
})

test('averages, counts, shares, extremes and averages of prices', async () => {
  assert.equal(
    ((await answer('average quantity by product')).rows[0] as Record<string, unknown>).product !== undefined,
    true,
  )
  assert.deepEqual((await answer('how many rows')).rows, [{ count: 720 }])
  assert.deepEqual(
    await answer('number of orders by region').catch((error: Error) => error.message),
    'the question is not understood at "orders"; measures: revenue, quantity, unit_price; dimensions: product, region; time: order_date',
  )
  assert.equal(
    (await answer('share of revenue by region')).rows.reduce(
      (total, row) => total + Math.round(Number(row.share_percent) * 1e6),
      0,
    ) / 1e6,
    100,
  )
  assert.deepEqual((await answer('highest unit price')).rows, [{ highest_unit_price: 8 }])
  assert.match((await answer('unit price per product')).sql, /avg\("unit_price"\)/)
})

test('time by month, quarter and year, and ranges of time', async () => {
  assert.equal((await answer('monthly revenue')).rows.length, 24)
  assert.equal((await answer('revenue by quarter')).rows[0]?.quarter, '2023-Q1')
  assert.equal((await answer('revenue by month between March 2023 and 2023-05')).rows.length, 3)
  assert.equal((await answer('revenue by month in Q2 2024')).rows.length, 3)
  assert.equal((await answer('revenue per month since November 2024')).rows.length, 2)
  assert.equal((await answer('revenue by month before 2023-03')).rows.length, 2)
  assert.ok((await answer('revenue by month over the last 3 months')).rows.length <= 4)
  assert.equal((await answer('bottom 2 products by revenue in 2023')).rows[0]?.product, 'Chair')
})

test('what is not understood is named, and nothing is guessed', async () => {
  await assert.rejects(answer('total profit by region'), { code: 'invalid_input', message: /"profit"/ })
  await assert.rejects(answer('drop table data'), { code: 'invalid_input' })
  await assert.rejects(answer('why'), { code: 'invalid_input' })
  await assert.rejects(
    questionToSql.call(
      { table: { text: 'region,revenue\nn,1\nn,2\ns,3\ns,4\n' }, question: 'revenue by month' },
      context,
    ),
    { code: 'invalid_input', message: /no column of dates/ },
  )
})

test('who gained or lost most, and the best and the worst of the months', async () => {
  const gained = await answer('which product gained the most revenue in 2024?')
  assert.equal(gained.rows.length, 1)
  assert.equal(gained.rows[0]?.product, 'Sofa')
  assert.match(gained.sql, /ORDER BY change IS NULL, change DESC/)
  assert.deepEqual(gained.assumptions.slice(-1), ['2024 is compared with 2023, as far as the rows go'])
  const lost = await answer('Which region lost the most revenue?')
  const byChange = [...(await answer('revenue growth by region')).rows].sort(
    (a, b) => Number(a.change) - Number(b.change),
  )
  assert.equal(lost.rows[0]?.region, byChange[0]?.region)
  const [best] = (await answer('What was our best month?')).rows
  const months = (await answer('total revenue per month')).rows
  assert.equal(best?.total_revenue, Math.max(...months.map((row) => Number(row.total_revenue))))
  const worst = await answer('worst quarter by quantity')
  assert.equal(worst.rows.length, 1)
})

test('a question that names no measure means money before pieces', async () => {
  const table = { text: 'order_id,units,revenue\nO-1,1,10\nO-2,2,20\n' }
  const { assumptions } = await questionToSql.call({ table, question: 'best month' }, context).catch(() => ({
    assumptions: ['no time'],
  }))
  assert.deepEqual(assumptions, ['no time'])
  const dated = { text: 'day,units,revenue\n2024-01-01,5,10\n2024-02-01,2,20\n' }
  const { rows: found } = await questionToSql.call({ table: dated, question: 'best month' }, context)
  assert.deepEqual(found, [{ month: '2024-02', total_revenue: 20 }])
})

test('how many of what the rows are', async () => {
  const text = ['order_id,day', ...Array.from({ length: 30 }, (_, n) => `O-${n},2024-0${1 + (n % 3)}-05`)].join('\n')
  const { rows: found, assumptions } = await questionToSql.call(
    { table: { text }, question: 'How many orders in March 2024?' },
    context,
  )
  assert.deepEqual([found, assumptions], [[{ count: 10 }], ['each row is one of the orders']])
})
