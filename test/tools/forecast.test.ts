import assert from 'node:assert/strict'
import { test } from 'node:test'
import { measureForecasts } from '../../bench/forecast.ts'
import { forecast } from '../../tools/forecast.ts'

const context = { signal: new AbortController().signal }
const months = (count: number) =>
  Array.from({ length: count }, (_, month) => ({
    month: new Date(Date.UTC(2020, month, 1)).toISOString().slice(0, 10),
    revenue: 100 + 2 * month + 20 * Math.sin((month * Math.PI) / 6),
  }))

test('forecasts beat seasonal naive on average, and intervals cover about what they promise', () => {
  const { ratio, better, covered } = measureForecasts(120)
  assert.ok(ratio < 0.9, `error ratio ${ratio}`)
  assert.ok(better > 0.6, `better in ${better}`)
  assert.ok(covered > 0.72 && covered < 0.95, `covered ${covered}`)
})

test('a season with a trend goes on, in the right months', async () => {
  const { points, backTest, grain } = await forecast.call({ table: { rows: months(48) }, periods: 6 }, context)
  assert.equal(grain, 'month')
  assert.deepEqual(
    points.map((point) => point.period),
    ['2024-01', '2024-02', '2024-03', '2024-04', '2024-05', '2024-06'],
  )
  for (const [step, point] of points.entries()) {
    const truth = 100 + 2 * (48 + step) + 20 * Math.sin(((48 + step) * Math.PI) / 6)
    assert.ok(Math.abs(point.value - truth) < 6, `${point.period}: ${point.value} for ${truth}`)
    assert.ok(point.low <= point.value && point.value <= point.high)
  }
  assert.ok(backTest.againstNaive < 0.5)
})

test('missing months are filled and said to be', async () => {
  const { warnings, points } = await forecast.call(
    { table: { rows: months(40).filter((_, month) => month !== 20) }, periods: 1 },
    context,
  )
  assert.match(warnings.join(' '), /1 missing periods were filled/)
  assert.equal(points[0]?.period, '2023-05')
})

test('a table without dates, or with too few periods, is refused with the reason', async () => {
  await assert.rejects(forecast.call({ table: { text: 'a\n1\n2\n' } }, context), { code: 'invalid_input' })
  await assert.rejects(forecast.call({ table: { rows: months(4) } }, context), { code: 'invalid_input' })
})

test('what was never negative is not forecast to be', async () => {
  const rows = Array.from({ length: 30 }, (_, month) => ({
    month: new Date(Date.UTC(2020, month, 1)).toISOString().slice(0, 10),
    sales: Math.max(0, 60 - 2.2 * month),
  }))
  const { points } = await forecast.call({ table: { rows } }, context)
  assert.ok(points.every((point) => point.low >= 0 && point.value >= 0))
})
