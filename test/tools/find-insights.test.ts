import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { checkFigures, measureInsights, plantTable } from '../../bench/insights.ts'
import { findInsights } from '../../tools/find-insights.ts'
import { profileTable } from '../../tools/profile-table.ts'
import { sharedData } from '../support/shared-data.ts'

const context = { signal: new AbortController().signal }

test('planted facts are found, few others are, and SQLite computes the same figures', async () => {
  const result = await measureInsights(25)
  assert.ok(result.recall >= 0.9, `recall ${result.recall}: ${result.missed.join('\n')}`)
  assert.ok(
    result.falseDiscoveries <= 0.1,
    `false discoveries ${result.falseDiscoveries}: ${result.surprising.join('\n')}`,
  )
  assert.equal(result.figuresEqual, result.figures)
})

for (const name of ['KNYC', 'recent-grads']) {
  const path = sharedData(`bi/fivethirtyeight/${name}.csv`)
  test(`every figure about ${name} equals its SQL run by SQLite`, {
    skip: path === undefined && 'the shared data is absent',
  }, async () => {
    const table = { name: 'data', text: readFileSync(path!, 'utf8') }
    const { insights } = await findInsights.call({ table }, context)
    assert.ok(insights.length > 3)
    const { unequal } = await checkFigures(
      table,
      insights.flatMap((insight) => insight.figures),
    )
    assert.deepEqual(unequal, [])
  })
}

test('every number in a sentence is one of its figures, a column name or a date', async () => {
  const { rows } = plantTable(9)
  const { insights } = await findInsights.call({ table: { rows } }, context)
  for (const { text, figures } of insights) {
    const rest = figures.reduce(
      (left, figure) => left.replaceAll(figure.text, ''),
      text.replaceAll(/\d{4}-\d{2}(-\d{2})?/g, ''),
    )
    assert.doesNotMatch(rest, /\d/, text)
  }
})

test('a trend that another column shares is reported with a warning about what may be behind both', async () => {
  const rows = Array.from({ length: 200 }, (_, day) => ({
    day: new Date(Date.UTC(2023, 0, 1 + day)).toISOString().slice(0, 10),
    ice: 100 + day + ((day * 7919) % 31),
    drownings: 50 + day / 2 + ((day * 104_729) % 17),
  }))
  const { insights } = await findInsights.call({ table: { rows } }, context)
  const correlation = insights.find((insight) => insight.kind === 'correlation')
  assert.ok(
    correlation?.warnings.some((warning) => /time/.test(warning)),
    JSON.stringify(correlation),
  )
})

test('days without rows are counted and the longest gap is named', async () => {
  const rows = Array.from({ length: 60 }, (_, day) => ({
    day: new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10),
    amount: (day * 31) % 17,
  }))
  const { insights } = await findInsights.call(
    { table: { rows: rows.filter((_, index) => index < 20 || index > 24) } },
    context,
  )
  const gap = insights.find((insight) => insight.kind === 'missing_periods')
  assert.equal(
    gap?.text,
    '5 of 60 days between the first and the last have no rows; the longest gap follows 2024-01-20.',
  )
})

test('few customers that make most of the revenue are named', async () => {
  const rows = Array.from({ length: 300 }, (_, row) => ({
    customer: `c${row % 15}`,
    revenue: row % 15 < 2 ? 500 : 5 + (row % 3),
  }))
  const { insights } = await findInsights.call({ table: { rows } }, context)
  assert.match(
    insights.find((insight) => insight.kind === 'concentration')?.text ?? '',
    /^2 of 15 values of customer make 9\d\.\d+ % of revenue/,
  )
})

test('one row, no row, only nulls, one constant: no insight and no crash', async () => {
  for (const text of ['a,b\n1,2\n', 'a,b\n', 'a,b\n,\n,\n', `d,v\n${'2024-01-01,5\n'.repeat(50)}`]) {
    assert.deepEqual((await findInsights.call({ table: { text } }, context)).insights, [], text.slice(0, 20))
  }
})

test('a profile tells time, measures, dimensions and identifiers apart', async () => {
  const rows = Array.from({ length: 100 }, (_, row) => ({
    order_id: 1000 + row,
    day: `2024-0${1 + (row % 9)}-11`,
    region: ['n', 's', 'e'][row % 3]!,
    revenue: row * 1.5,
    rate: (row % 10) / 10,
    empty: null,
  }))
  const { columns } = await profileTable.call({ table: { rows } }, context)
  assert.deepEqual(
    columns.map(({ name, role, aggregate }) => [name, role, aggregate]),
    [
      ['order_id', 'identifier', undefined],
      ['day', 'time', undefined],
      ['region', 'dimension', undefined],
      ['revenue', 'measure', 'sum'],
      ['rate', 'measure', 'avg'],
      ['empty', 'other', undefined],
    ],
  )
})
