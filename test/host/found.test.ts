// A task that was offered before and that nobody claimed may kill whoever runs it before its first commit. Who is offered
// it again owns it before any of its code runs: such a death is counted like any other, and the third one ends the task.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setup } from 'xstate'
import { z } from 'zod'
import { newId } from '../../src/contract/ids.ts'
import { wakeOf } from '../../src/host/announcements.ts'
import { type Agent, defineAgent } from '../../src/sdk/index.ts'
import { openTestStage, TENANT } from '../actor/stage.ts'

const parts = { name: 'early', version: '1.0.0', description: 'Acts before its first call', input: z.any() }

/** What `look` sees at the very beginning is the output. */
const KINDS: Record<string, (look: () => Promise<string>) => Agent> = {
  handler: (look) => defineAgent({ ...parts, output: z.any(), run: look }) as Agent,
  machine(look) {
    const seen: Promise<string>[] = []
    const machine = setup({}).createMachine({
      context: () => {
        seen.push(look())
        return {}
      },
      initial: 'done',
      states: { done: { type: 'final' } },
    })
    return defineAgent({ ...parts, output: z.any(), machine }) as Agent
  },
}

for (const [kind, agentOf] of Object.entries(KINDS)) {
  test(`a ${kind} whose task was found is owned by its host before its code runs, and ends as any other`, async (t) => {
    let owned: Promise<string> | undefined
    const look = async () => {
      const loaded = await stage.journal.load(id)
      return loaded?.task.owner ?? 'nobody'
    }
    const agent = agentOf(async () => {
      owned ??= look()
      return await owned
    })
    const stage = await openTestStage(t, [agent])
    const id = newId('task')
    const host = await stage.startHost()
    const task = { id, tenant: TENANT, agent: 'early', agentVersion: '1.0.0', input: {}, priority: 'normal' } as const
    const accepted = await stage.journal.accept({ ...task, depth: 0 })
    stage.bus.offer({ ...wakeOf(accepted.task), found: true })
    const ended = await stage.end(id)
    assert.equal(ended.state, 'completed')
    assert.equal(await owned, host.id)
    assert.deepEqual(await stage.types(id), ['task.accepted', 'task.started', 'task.completed'])
  })
}

test('what the sweep finds is offered as found', async (t) => {
  const agent = KINDS.handler!(async () => 'done')
  const stage = await openTestStage(t, [agent])
  const task = { tenant: TENANT, agent: 'early', agentVersion: '1.0.0', input: {}, priority: 'normal' } as const
  const id = newId('task')
  await stage.journal.accept({ ...task, id, depth: 0 })
  const offered = Promise.withResolvers<boolean | undefined>()
  const { offer } = stage.bus
  stage.bus.offer = (made) => {
    offered.resolve(made.found)
    offer(made)
  }
  await stage.startHost()
  assert.equal(await offered.promise, true)
  assert.equal((await stage.end(id)).state, 'completed')
})
