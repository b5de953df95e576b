// Cron expressions: what they mean, across months, leap years and days on which clocks change; and what is none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextAfter, parseCron } from '../../src/gateway/schedules/cron.ts'
import { openWallClock } from '../../src/gateway/schedules/wall-clock.ts'

function times(cron: string, timeZone: string, from: string, count: number): string[] {
  const found: string[] = []
  let at = Date.parse(from)
  while (found.length < count) {
    at = nextAfter(parseCron(cron), openWallClock(timeZone), at)!
    found.push(new Date(at).toISOString().replace(':00.000Z', 'Z'))
  }
  return found
}

test('fields are values, lists, ranges, steps and names', () => {
  const from = '2026-01-01T00:00:00Z'
  assert.deepEqual(times('*/20 9-10 * * *', 'UTC', from, 4), [
    '2026-01-01T09:00Z',
    '2026-01-01T09:20Z',
    '2026-01-01T09:40Z',
    '2026-01-01T10:00Z',
  ])
  assert.deepEqual(times('30 6 * * mon-fri', 'UTC', from, 3), [
    '2026-01-01T06:30Z',
    '2026-01-02T06:30Z',
    '2026-01-05T06:30Z',
  ])
  assert.deepEqual(times('0 0 1 jan,JUL *', 'UTC', from, 2), ['2026-07-01T00:00Z', '2027-01-01T00:00Z'])
  assert.deepEqual(times('0 12 * * 7', 'UTC', from, 1), ['2026-01-04T12:00Z'], '7 is Sunday, as 0 is')
  assert.deepEqual(times('5/25 0 1 1 *', 'UTC', from, 3), [
    '2026-01-01T00:05Z',
    '2026-01-01T00:30Z',
    '2026-01-01T00:55Z',
  ])
  assert.deepEqual(times('@monthly', 'UTC', from, 1), ['2026-02-01T00:00Z'])
})

test('a day narrowed twice is meant by either, as crontab(5) has it', () => {
  assert.deepEqual(times('0 0 13 * fri', 'UTC', '2026-02-01T00:00:00Z', 3), [
    '2026-02-06T00:00Z',
    '2026-02-13T00:00Z',
    '2026-02-20T00:00Z',
  ])
})

test('the last day of February comes in leap years, and the thirtieth never', () => {
  assert.deepEqual(times('0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', 2), ['2028-02-29T00:00Z', '2032-02-29T00:00Z'])
  assert.equal(nextAfter(parseCron('0 0 30 2 *'), openWallClock('UTC'), 0), undefined)
})

test('the wall of the zone counts, not UTC', () => {
  assert.deepEqual(times('0 9 * * *', 'America/New_York', '2026-01-15T00:00:00Z', 1), ['2026-01-15T14:00Z'])
  assert.deepEqual(times('0 9 * * *', 'America/New_York', '2026-07-15T00:00:00Z', 1), ['2026-07-15T13:00Z'])
  assert.deepEqual(times('15 0 1 * *', 'Pacific/Kiritimati', '2026-01-30T00:00:00Z', 1), ['2026-01-31T10:15Z'])
})

test('a time that the clocks skip comes an hour later by the wall, once', () => {
  // Berlin, 29 March 2026: 02:00 becomes 03:00.
  assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2), [
    '2026-03-29T01:30Z',
    '2026-03-30T00:30Z',
  ])
  assert.deepEqual(times('30 2,3 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2), [
    '2026-03-29T01:30Z',
    '2026-03-30T00:30Z',
  ])
})

test('a time that a day has twice comes the first time; every hour comes both times', () => {
  // Berlin, 25 October 2026: 03:00 becomes 02:00.
  assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2), [
    '2026-10-25T00:30Z',
    '2026-10-26T01:30Z',
  ])
  assert.deepEqual(times('30 * * * *', 'Europe/Berlin', '2026-10-25T00:00:00Z', 3), [
    '2026-10-25T00:30Z',
    '2026-10-25T01:30Z',
    '2026-10-25T02:30Z',
  ])
  assert.deepEqual(times('0 * * * *', 'Europe/Berlin', '2026-03-29T00:30:00Z', 2), [
    '2026-03-29T01:00Z',
    '2026-03-29T02:00Z',
  ])
})

test('each time is behind the one before it, whatever the zone does in a year', () => {
  for (const zone of ['Europe/Berlin', 'Australia/Lord_Howe', 'America/St_Johns', 'Asia/Kathmandu', 'Africa/Cairo']) {
    const clock = openWallClock(zone)
    for (const expression of ['*/30 * * * *', '15 0-3 * * *']) {
      const cron = parseCron(expression)
      let at = Date.parse('2026-01-01T00:00:00Z')
      let most = 0
      for (; at < Date.parse('2027-01-01T00:00:00Z'); ) {
        const next = nextAfter(cron, clock, at)!
        assert.ok(next > at)
        most = Math.max(most, next - at)
        at = next
      }
      const bound = expression.startsWith('*') ? 30 : 22 * 60 + 60
      assert.ok(most <= bound * 60_000, `${zone} ${expression}: ${most / 60_000} min`)
    }
  }
})

test('what is no expression and no zone is refused, and says why', () => {
  const wrong = ['', '* * * *', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * * 13 *', '* * * * 8', '5-1 * * * *']
  for (const text of [
    ...wrong,
    '*/0 * * * *',
    'x * * * *',
    '1,,2 * * * *',
    '1-2-3 * * * *',
    '*/5/2 * * * *',
    '@never',
  ]) {
    assert.throws(() => parseCron(text), { code: 'invalid_request' }, text)
  }
  assert.throws(() => openWallClock('Mars/Olympus'), { code: 'invalid_request' })
})
