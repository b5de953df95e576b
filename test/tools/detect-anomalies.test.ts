import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LabelledSeries, learningRows, normalisedScore, readBenchmark } from '../../bench/anomaly.ts'
import { random } from '../../bench/random.ts'
import { watchSeries } from '../../tools/anomalies/index.ts'
import { detectAnomalies } from '../../tools/detect-anomalies.ts'
import { sharedData } from '../support/shared-data.ts'

const context = { signal: new AbortController().signal }
const folder = sharedData('anomaly/nab')
const skip = folder === undefined && 'the shared data is absent'

test('the benchmark scores no alarm 0, the earliest alarms 100, and an alarm for each row far below both', {
  skip,
}, () => {
  const series = readBenchmark(folder!)
  assert.equal(
    normalisedScore(series, () => []),
    0,
  )
  assert.equal(
    normalisedScore(series, (one) => one.windows.map(([first]) => first)),
    100,
  )
  assert.ok(normalisedScore(series, (one) => one.values.keys()) < -100)
})

test('an alarm late in a window earns less, one outside costs a ninth of a miss', () => {
  const one: LabelledSeries = { name: 'one', times: [], values: new Array(1000).fill(0), windows: [[500, 599]] }
  const early = normalisedScore([one], () => [500])
  const late = normalisedScore([one], () => [590])
  assert.ok(early > late && late > 50)
  assert.equal(Math.round(100 * (early - normalisedScore([one], () => [200, 500]))), 550)
})

test('the benchmark is passed with at least 50 points', { skip }, () => {
  const score = normalisedScore(readBenchmark(folder!), (one) =>
    watchSeries(one.values, one.times).alarms.map((alarm) => alarm.index),
  )
  assert.ok(score >= 50, `score ${score}`)
})

test('no alarm falls into the learning time, and none into a series without change', () => {
  const draw = random(3)
  const values = Array.from({ length: 1000 }, () => draw.normal())
  values[20] = 500
  assert.ok(watchSeries(values).alarms.every((alarm) => alarm.index >= learningRows(values.length)))
  assert.deepEqual(watchSeries(new Array(1000).fill(7)).alarms, [])
})

test('a value is judged by its past only: what comes later changes no earlier alarm', () => {
  const draw = random(5)
  const values = Array.from(
    { length: 1500 },
    (_, index) => Math.sin(index / 20) + 0.1 * draw.normal() + (index === 900 ? 5 : 0),
  )
  const options = { learning: 100 }
  const whole = watchSeries(values, [], options).alarms.filter((alarm) => alarm.index < 1200)
  assert.deepEqual(watchSeries(values.slice(0, 1200), [], options).alarms, whole)
  assert.ok(whole.some((alarm) => alarm.index === 900))
})

test('in a short series a spike is found against its season and trend, with what was expected', async () => {
  const series = Array.from({ length: 90 }, (_, day) => ({
    time: new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10),
    value: 100 + day + (day % 7 === 5 ? 40 : 0) + ((day * 7919) % 5) + (day === 60 ? 80 : 0),
  }))
  const { anomalies, mode } = await detectAnomalies.call({ series }, context)
  assert.equal(mode, 'whole')
  assert.deepEqual(
    anomalies.map(({ index, time }) => [index, time]),
    [[60, '2024-03-01']],
  )
  assert.ok(Math.abs(anomalies[0]!.expected! - 162) < 8, JSON.stringify(anomalies))
})

test('a table is summed up by period first and the query is told', async () => {
  const rows = Array.from({ length: 120 }, (_, row) => ({
    day: new Date(Date.UTC(2024, 0, 1 + Math.floor(row / 2))).toISOString().slice(0, 10),
    orders: 10 + (row % 5) + (row === 80 ? 90 : 0),
  }))
  const { anomalies, sql } = await detectAnomalies.call({ table: { rows } }, context)
  assert.deepEqual(
    anomalies.map(({ time }) => time),
    ['2024-02-10'],
  )
  assert.match(sql!, /GROUP BY/)
})

test('a series of one value, or of none, has no anomaly', async () => {
  for (const series of [[], [{ value: 3 }]])
    assert.deepEqual((await detectAnomalies.call({ series }, context)).anomalies, [])
})

for (const mode of ['live', 'whole'] as const) {
  test(`a long series (${mode}) does not hold the event loop, and is let go of when nobody waits any more`, async () => {
    const noise = random(1)
    const series = Array.from({ length: 20_000 }, (_, index) => ({ value: Math.sin(index / 50) + noise.uniform() }))
    let turns = 0
    const turning = setInterval(() => turns++, 5)
    const { anomalies } = await detectAnomalies.call(
      { series: series.with(19_000, { value: 50 }), mode, raw: false, threshold: 1.6 },
      context,
    )
    clearInterval(turning)
    assert.ok(turns > 10, `${turns} turns of the event loop`)
    assert.ok(anomalies.some(({ index }) => index === 19_000))
    const impatient = new AbortController()
    const left = detectAnomalies.call({ series, mode, raw: false, threshold: 1.6 }, { signal: impatient.signal })
    impatient.abort(new Error('nobody waits'))
    await assert.rejects(left, /nobody waits/)
  })
}
