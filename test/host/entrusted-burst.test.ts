// Who gets which task of a burst: each host as many as it has room for, in proportion.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { missing } from '../support/servers.ts'
import { gated, openStage } from './entrusted-stage.ts'

describe('a burst of tasks', { skip: missing('nats') }, () => {
  test('a burst of one turn is shared out among the hosts, and all of it runs at once', async (t) => {
    const { agent, submission, ran, runs } = gated(16)
    const stage = await openStage(t, [agent])
    const desk = await stage.openDesk()
    const hosts = [await stage.startHost(), await stage.startHost(), await stage.startHost()]
    await stage.heard(agent, (room) => room === 3 * 16)
    const watching = await Promise.all(Array.from({ length: 30 }, () => desk.submitAndWatch(submission, 'end')))
    await ran(30)
    assert.deepEqual(
      hosts.map(({ actors }) => actors),
      [10, 10, 10],
    )
    assert.deepEqual(stage.accepts, { desk: 0, host: 30 })
    for (const release of runs) release()
    for (const { ending } of watching) assert.equal((await ending.ended)?.state, 'completed')
  })

  test('what a full host and a draining host cannot take runs at once where there is room', async (t) => {
    const { agent, submission, ran, runs } = gated(16)
    const stage = await openStage(t, [agent])
    const desk = await stage.openDesk()
    const full = await stage.startHost()
    await Promise.all(Array.from({ length: 16 }, () => desk.submit(submission)))
    await ran(16)
    const draining = await stage.startHost()
    await stage.heard(agent, (room) => room === 16)
    await desk.submit(submission)
    await ran(17)
    const idle = await stage.startHost()
    await stage.heard(agent, (room) => room === 31)
    // It waits for its one task, and does not take another.
    const drained = draining.drain(60_000)
    const watching = await Promise.all(Array.from({ length: 16 }, () => desk.submitAndWatch(submission, 'end')))
    await ran(33)
    assert.deepEqual([full.actors, draining.actors, idle.actors], [16, 1, 16])
    for (const release of runs) release()
    for (const { ending } of watching) assert.equal((await ending.ended)?.state, 'completed')
    await drained
  })
})
