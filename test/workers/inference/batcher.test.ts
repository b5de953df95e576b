import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Batcher, type BatchLimits, type Clock, type Job } from '../../../src/workers/inference/batcher.ts'

/** Time stands still until a test moves it; deferred work runs when the test says so. */
function manualClock() {
  let now = 1_000
  let deferred: (() => void)[] = []
  let timers: { at: number; run: () => void }[] = []
  const clock: Clock = {
    now: () => now,
    defer: (run) => deferred.push(run),
    after: (ms, run) => timers.push({ at: now + ms, run }),
  }
  return {
    clock,
    turn(): void {
      const due = deferred
      deferred = []
      for (const run of due) run()
    },
    advance(ms: number): void {
      now += ms
      const due = timers.filter(({ at }) => at <= now)
      timers = timers.filter(({ at }) => at > now)
      for (const { run } of due) run()
    },
  }
}

interface NamedJob extends Job {
  name: string
}

function stage(limits: Partial<BatchLimits & { maxRows: number }> = {}, capacity = 1) {
  const time = manualClock()
  const runs: string[][] = []
  const failures: string[] = []
  let busy = 0
  const batcher = new Batcher<NamedJob>(
    { maxRows: 4, maxDelayMs: 0, maxQueueRows: 100, maxQueueBytes: 1_000, ...limits },
    () => busy < capacity,
    (jobs) => {
      busy++
      runs.push(jobs.map(({ name }) => name))
    },
    time.clock,
  )
  const add = (name: string, more: Partial<Job> = {}): NamedJob => {
    const job: NamedJob = {
      name,
      rows: 1,
      bytes: 4,
      kind: '',
      deadline: Number.POSITIVE_INFINITY,
      cancelled: false,
      queuedAt: time.clock.now(),
      fail: (error) => failures.push(`${name}: ${error.code}`),
      ...more,
    }
    batcher.add(job)
    return job
  }
  const finish = (): void => {
    busy--
    batcher.finished()
  }
  return { ...time, batcher, runs, failures, add, finish }
}

test('a lone request runs at once, even with a long delay configured', () => {
  const { add, turn, runs } = stage({ maxDelayMs: 1_000 })
  add('a')
  turn()
  assert.deepEqual(runs, [['a']])
})

test('requests that arrive together share a run, up to its limit', () => {
  const { add, turn, runs, finish } = stage()
  for (const name of 'abcdef') add(name)
  turn()
  assert.deepEqual(runs, [['a', 'b', 'c', 'd']])
  finish()
  assert.deepEqual(runs[1], ['e', 'f'])
})

test('while the model is busy, requests gather and go together when it is free', () => {
  const { add, turn, runs, finish } = stage()
  add('a')
  turn()
  for (const name of 'bcd') {
    add(name)
    turn()
  }
  finish()
  assert.deepEqual(runs, [['a'], ['b', 'c', 'd']])
})

test('under load a batch that is not full waits for company, but not longer than the delay', () => {
  const { add, turn, advance, runs, finish } = stage({ maxDelayMs: 10 })
  add('a')
  turn()
  finish()
  advance(1)
  add('b')
  turn()
  assert.equal(runs.length, 1, 'b came right after a: more may come')
  advance(5)
  add('c')
  turn()
  advance(5)
  assert.deepEqual(runs, [['a'], ['b', 'c']])
})

test('a full batch does not wait', () => {
  const { add, turn, advance, runs, finish } = stage({ maxDelayMs: 10 })
  add('a')
  turn()
  finish()
  advance(1)
  for (const name of 'bcde') add(name)
  turn()
  assert.deepEqual(runs[1], ['b', 'c', 'd', 'e'])
})

test('requests of different shapes never share a run, and keep their order', () => {
  const { add, turn, runs, finish } = stage()
  add('a', { kind: '3' })
  add('b', { kind: '3' })
  add('c', { kind: '4' })
  add('d', { kind: '3' })
  turn()
  finish()
  finish()
  assert.deepEqual(runs, [['a', 'b'], ['c'], ['d']])
})

test('a request of more rows than a run takes goes alone', () => {
  const { add, turn, runs, finish } = stage()
  add('a')
  add('big', { rows: 50 })
  add('c')
  turn()
  finish()
  finish()
  assert.deepEqual(runs, [['a'], ['big'], ['c']])
})

test('the queue is bounded in rows', () => {
  const { add } = stage({ maxQueueRows: 3 })
  add('a', { rows: 2 })
  assert.throws(() => add('b', { rows: 2 }), { code: 'overloaded' })
  add('c')
  assert.throws(() => add('huge', { rows: 4 }), { code: 'invalid_input' })
})

test('the queue is bounded in bytes, but a large request alone is taken', () => {
  const { add, turn, finish } = stage()
  add('image', { bytes: 5_000 })
  assert.throws(() => add('another'), { code: 'overloaded' })
  turn()
  add('b', { bytes: 999 })
  assert.throws(() => add('c'), { code: 'overloaded' })
  finish()
  add('c')
})

test('what is late or cancelled leaves the queue without a run and frees its room', () => {
  const { add, turn, advance, runs, failures, finish, batcher } = stage()
  add('a')
  turn()
  add('late', { deadline: 1_005 })
  add('gone').cancelled = true
  add('b')
  advance(10)
  finish()
  assert.deepEqual(runs, [['a'], ['b']])
  assert.deepEqual(failures, ['late: deadline_exceeded', 'gone: cancelled'])
  assert.equal(batcher.queuedRows, 0)
})

test('several free instances run at once', () => {
  const { add, turn, runs } = stage({ maxRows: 1 }, 2)
  for (const name of 'abc') add(name)
  turn()
  assert.deepEqual(runs, [['a'], ['b']])
})
