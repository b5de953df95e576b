// What comes with the end of a task that was entrusted to a host.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { missing } from '../support/servers.ts'
import { echo, failing, large, openStage, submission, TENANT } from './entrusted-stage.ts'

describe('the end of an entrusted task', { skip: missing('nats') }, () => {
  test('the result comes with the end, as the journal has it: nothing is read for it', async (t) => {
    const stage = await openStage(t, [echo, failing])
    let reads = 0
    const desk = await stage.openDesk({
      journal: (journal) => ({
        ...journal,
        get(...asked) {
          reads += 1
          return journal.get(...asked)
        },
      }),
    })
    await stage.startHost()
    const more = { metadata: { a: 'b' }, labels: { c: 'd' }, budget: { tokens: 9 } }
    for (const wanted of [
      { ...submission, ...more },
      { ...submission, agent: 'failing' },
    ]) {
      const { task, ending } = await desk.submitAndWatch(wanted, 'result')
      const told = await desk.asEnded(task, await ending.ended)
      assert.equal(reads, 0)
      const kept = await desk.get(TENANT, task.id)
      assert.deepEqual(outside(told), outside(kept))
      await assert.rejects(desk.get('another-tenant', task.id), { code: 'not_found' })
      reads = 0
    }
  })

  test('a result that is too large for the news is read', async (t) => {
    const stage = await openStage(t, [large])
    const desk = await stage.openDesk()
    await stage.startHost()
    const { task, ending } = await desk.submitAndWatch({ ...submission, agent: 'large' }, 'result')
    const ended = await ending.ended
    assert.deepEqual(ended, { state: 'completed' })
    assert.equal(((await desk.asEnded(task, ended)).output as string).length, 40_000)
  })
})

/** What a task shows of itself, without the columns that only hosts read. */
function outside(task: object) {
  const inner = ['epoch', 'version', 'owner', 'ownerDeaths', 'depth', 'mailPosition', 'mailRead', 'snapshot']
  return Object.fromEntries(Object.entries(task).filter(([key]) => !inner.includes(key)))
}
