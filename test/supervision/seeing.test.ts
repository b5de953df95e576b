import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSupervisor, supervisorChild } from '../../src/supervision/index.ts'
import { Stage } from './stage.ts'

test('every decision is told, in order, with whom it concerns and how loud it is', async () => {
  const stage = new Stage()
  const children = [stage.child('a'), stage.child('b', { restart: 'temporary' })]
  const supervisor = await stage.start({ intensity: 1, children })
  await stage.clock.advance(1_500)
  await stage.end('b', { kind: 'normal' })
  await stage.crash('a')
  await stage.crash('a')
  await supervisor.exited
  assert.deepEqual(
    stage.events.map(({ type, path, level }) => `${level} ${path} ${type}`),
    [
      'info root/a child_started',
      'info root/b child_started',
      'info root supervisor_started',
      'info root/b child_ended',
      'error root/a child_crashed',
      'warn root/a child_restarting',
      'info root/a child_started',
      'error root/a child_crashed',
      'error root supervisor_gave_up',
      'error root supervisor_escalated',
    ],
  )
  const ended = stage.events[3]
  assert.equal(ended?.type === 'child_ended' && ended.uptime, 1_500)
  assert.equal(ended?.at, stage.clock.now())
})

test('a restart tells its delay, whether it was charged, and which siblings go with it', async () => {
  const stage = new Stage()
  const children = ['a', 'b', 'c'].map((id) => stage.child(id))
  const supervisor = await stage.start({ strategy: 'rest_for_one', intensity: 5, period: 60_000, children })
  await stage.end('b', { kind: 'drained' })
  await stage.crash('b')
  const told = stage.types('child_restarting').map((event) => {
    assert.equal(event.type, 'child_restarting')
    return event.type === 'child_restarting' && [event.delay, event.charged, event.siblings]
  })
  assert.deepEqual(told, [
    [0, false, ['c']],
    [100, true, ['c']],
  ])
  await supervisor.stop()
})

test('a listener that throws changes no decision', async (context) => {
  const warn = context.mock.method(process, 'emitWarning', () => undefined)
  const stage = new Stage()
  const supervisor = await startSupervisor(
    { id: 'root', children: [stage.child('a')] },
    {
      clock: stage.clock,
      listener: () => {
        throw new Error('full disk')
      },
    },
  )
  await stage.crash('a')
  assert.deepEqual(stage.running, ['a'])
  await supervisor.stop()
  assert.match(String(warn.mock.calls[0]?.arguments[0]), /listener threw on child_started of root\/a.*full disk/)
})

test('the live tree shows state, restarts, uptime, last error, facts and children at every depth', async () => {
  const stage = new Stage()
  const backoff = { first: 9_000, factor: 1, max: 9_000, jitter: 0 }
  const talkative = stage.child('talks')
  const children = [
    stage.child('a'),
    stage.child('waits', { backoff }),
    {
      id: 'talks',
      start: async (context: Parameters<typeof talkative.start>[0]) => ({
        ...(await talkative.start(context))!,
        facts: () => ({ mailbox: 3 }),
      }),
    },
  ]
  const below = supervisorChild({ id: 'below', intensity: 5, children })
  const supervisor = await stage.start({ children: [below] })
  await stage.crash('a', 'out of paper')
  await stage.clock.advance(2_000)
  await stage.crash('waits', 'no ink')
  assert.deepEqual(supervisor.tree().children, [
    {
      id: 'below',
      path: 'root/below',
      type: 'supervisor',
      restart: 'permanent',
      state: 'running',
      restarts: 0,
      uptime: 2_000,
      children: [
        {
          id: 'a',
          path: 'root/below/a',
          type: 'worker',
          restart: 'permanent',
          state: 'running',
          restarts: 1,
          uptime: 2_000,
          lastError: 'out of paper',
        },
        {
          id: 'waits',
          path: 'root/below/waits',
          type: 'worker',
          restart: 'permanent',
          state: 'waiting',
          restarts: 0,
          lastError: 'no ink',
        },
        {
          id: 'talks',
          path: 'root/below/talks',
          type: 'worker',
          restart: 'permanent',
          state: 'running',
          restarts: 0,
          uptime: 2_000,
          facts: { mailbox: 3 },
        },
      ],
    },
  ])
  await supervisor.stop()
})
