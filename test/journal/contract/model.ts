// Random interleavings of the verbs, many in one moment, against a model that fits on a page. Whatever the order in which
// the store took them: epochs fence, mail is applied once and in order, the log has no gap, nothing sleeps on mail.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { EventBody } from '../../../src/contract/events.ts'
import type { CommitOutcome, Journal } from '../../../src/journal/journal.ts'
import { accepted, type Current, commitOn, eventTypes, leased, loaded, signal } from './make.ts'

type Action =
  | {
      verb: 'commit'
      task: number
      stale: boolean
      release: boolean
      end: boolean
      events: number
      read: boolean
      to: number
    }
  | { verb: 'deliver'; task: number; message: number }
  | { verb: 'sweep' }

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      verb: fc.constant('commit' as const),
      task: fc.nat(2),
      stale: fc.nat(4).map((n) => n === 0),
      release: fc.boolean(),
      end: fc.nat(9).map((n) => n === 0),
      events: fc.nat(3),
      read: fc.boolean(),
      to: fc.nat(2),
    }),
  },
  { weight: 3, arbitrary: fc.record({ verb: fc.constant('deliver' as const), task: fc.nat(2), message: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.constant({ verb: 'sweep' as const }) },
)

interface Model {
  id: string
  applied: Extract<CommitOutcome, { applied: true }>[]
  events: number
  messages: Set<string>
  ended: boolean
}

async function perform(journal: Journal, models: Model[], hosts: string[], step: Action): Promise<void> {
  if (step.verb === 'sweep') {
    for (const hostId of hosts.splice(0)) await journal.endLease(hostId)
    await journal.findOrphans({ unclaimedMs: 3_600_000, limit: 100 })
    return
  }
  const model = models[step.task]!
  if (step.verb === 'deliver') {
    const message = signal(model.id, `m${step.message}`, `m${step.message}`)
    const delivery = await journal.deliver(message)
    if (delivery.delivered && !delivery.duplicate) {
      assert.ok(!model.messages.has(message.id), 'a message id is new once')
      model.messages.add(message.id)
    }
    return
  }
  const { task } = await loaded(journal, model.id)
  const claim = task.owner === undefined ? await leased(journal) : undefined
  if (claim !== undefined) hosts.push(claim.hostId)
  const events: EventBody[] = Array.from({ length: step.events }, () => ({ type: 'task.retried' }))
  const outcome = await journal.commit(
    commitOn(step.stale ? { ...task, version: task.version - 1 } : task, {
      ...(claim === undefined ? {} : { claim }),
      release: step.release || step.end,
      state: step.end ? 'cancelled' : 'waiting',
      waitingFor: { kind: 'message' },
      events,
      mailRead: step.read ? task.mailPosition : 0,
      messages: [signal(models[step.to]!.id, 'from a commit', `${model.id}:${task.epoch}:${task.version}`)],
    }),
  )
  if (!outcome.applied) return
  assert.ok(!step.stale, 'a stale commit is refused')
  assert.ok(!model.ended, 'an ended task takes no commit')
  model.applied.push(outcome)
  model.events += step.events
  model.ended = step.end
}

export function modelTests(current: Current): void {
  test('any interleaving of commits, deliveries and sweeps leaves every promise whole', async () => {
    const journal = current()
    const moments = fc.array(fc.array(action, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(moments, async (plan) => {
        const models: Model[] = []
        const hosts: string[] = []
        for (let index = 0; index < 3; index++) {
          const { id } = await accepted(journal)
          models.push({ id, applied: [], events: 0, messages: new Set(), ended: false })
        }
        for (const moment of plan) await Promise.all(moment.map((step) => perform(journal, models, hosts, step)))
        const runnable = await journal.findOrphans({ unclaimedMs: 0, limit: 100_000 })
        for (const model of models)
          await verify(
            journal,
            model,
            runnable.map(({ taskId }) => taskId),
          )
      }),
      { numRuns: 40 },
    )
  })
}

async function verify(journal: Journal, model: Model, runnable: string[]): Promise<void> {
  const { task, mail } = await loaded(journal, model.id)
  const fences = model.applied.map(({ version }) => version)
  assert.equal(new Set(fences).size, fences.length, 'no two commits were made from one version')
  assert.equal(task.version, model.applied.length)
  const types = await eventTypes(journal, model.id)
  assert.equal(types.length, task.lastEvent)
  const lost = types.filter((type) => type === 'task.owner_lost' || type === 'task.failed').length
  assert.equal(types.length, 1 + model.events + lost)
  const positions = mail.map(({ position }) => position)
  assert.deepEqual(
    positions,
    positions.map((_, index) => task.mailRead + 1 + index),
    'unread mail has no hole',
  )
  assert.equal(new Set(mail.map(({ id }) => id)).size, mail.length)
  if (task.endedAt !== undefined) return
  assert.ok(task.mailPosition >= model.messages.size)
  if (mail.length > 0 && task.owner === undefined) assert.ok(runnable.includes(model.id), 'unread mail never sleeps')
}
