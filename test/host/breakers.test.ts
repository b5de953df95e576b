import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setup } from 'xstate'
import { z } from 'zod'
import { CRASHES_TO_REST, createBreakers, TRIAL_MS } from '../../src/host/breakers.ts'
import { defineAgent, step } from '../../src/sdk/index.ts'
import { openTestStage } from '../actor/stage.ts'

function manual() {
  let time = 0
  const breakers = createBreakers(
    () => time,
    () => 0,
  )
  const crash = (times: number) => Array.from({ length: times }, () => breakers.crashed('a')).at(-1)
  return { breakers, crash, pass: (ms: number) => (time += ms) }
}

test('an agent rests after so many crashes without a good end between; other agents go on', () => {
  const { breakers, crash } = manual()
  assert.equal(crash(CRASHES_TO_REST - 1), undefined)
  assert.equal(breakers.wait('a', 't'), 0)
  assert.equal(crash(1), 1_000)
  assert.equal(breakers.wait('a', 't'), 1_000)
  assert.equal(breakers.wait('b', 't'), 0)
  assert.deepEqual(breakers.resting(), ['a'])
})

test('an agent that does well as often as it crashes never rests', () => {
  const { breakers, crash } = manual()
  for (let turn = 0; turn < 100; turn++) {
    assert.equal(crash(1), undefined)
    breakers.lived('a')
  }
})

test('after the rest one task is tried; when it lives, all may run', () => {
  const { breakers, crash, pass } = manual()
  crash(CRASHES_TO_REST)
  pass(1_000)
  assert.equal(breakers.wait('a', 'first'), 0)
  assert.equal(breakers.wait('a', 'second'), TRIAL_MS)
  assert.ok(breakers.lived('a'))
  assert.equal(breakers.wait('a', 'second'), 0)
  assert.deepEqual(breakers.resting(), [])
})

test('a trial that crashes makes the rest longer, up to a minute', () => {
  const { breakers, crash, pass } = manual()
  let rest = crash(CRASHES_TO_REST)!
  const rests = [rest]
  for (let turn = 0; turn < 8; turn++) {
    pass(rest)
    assert.equal(breakers.wait('a', `trial ${turn}`), 0)
    rest = crash(1)!
    rests.push(rest)
  }
  assert.deepEqual(rests.slice(0, 4), [1_000, 2_000, 4_000, 8_000])
  assert.equal(rests.at(-1), 60_000)
})

test('a trial that runs for long does not hold the next one up', () => {
  const { breakers, crash, pass } = manual()
  crash(CRASHES_TO_REST)
  pass(1_000)
  breakers.wait('a', 'long')
  pass(TRIAL_MS)
  assert.equal(breakers.wait('a', 'next'), 0)
})

const anything = z.any()

test('on a host: crashes open the breaker, what is offered then waits and runs when the agent is well again', async (t) => {
  let broken = true
  let runs = 0
  const work = step(
    async () => {
      runs += 1
      if (broken) throw new Error('broken')
      return 'well'
    },
    { retries: 0 },
  )
  const agent = defineAgent({
    name: 'shaky',
    version: '1.0.0',
    description: 'Crashes until it is mended',
    input: anything,
    output: anything,
    restarts: { max: 0, within: '1m' },
    machine: setup({ actors: { work } }).createMachine({
      initial: 'working',
      states: { working: { invoke: { id: 'work', src: 'work', onDone: 'done' } }, done: { type: 'final' } },
    }),
  })
  const stage = await openTestStage(t, [agent])
  await stage.startHost()
  for (let crash = 0; crash < CRASHES_TO_REST; crash++) {
    assert.equal((await stage.end((await stage.submit('shaky', {})).id)).state, 'failed')
  }
  const runsBefore = runs
  broken = false
  const held = await Promise.all(Array.from({ length: 3 }, () => stage.submit('shaky', {})))
  assert.equal(runs, runsBefore, 'nothing runs while the agent rests')
  for (const { id } of held) assert.equal((await stage.end(id)).state, 'completed')
})
