// What every bus does. Run on the embedded one and on a real nats-server.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Bus, Offer } from '../../src/bus/bus.ts'
import type { PlatformEvent, TaskEvent } from '../../src/contract/events.ts'
import { newId } from '../../src/contract/ids.ts'
import type { Priority } from '../../src/contract/task.ts'

const offerOf = (agent: string, priority: Priority = 'normal'): Offer => ({
  taskId: newId('task'),
  tenant: 'a tenant.with dots',
  agent,
  agentVersion: '1.0.0',
  priority,
  epoch: 0,
})

const progress = (task: string, number: number): TaskEvent => ({ task, number, at: 0, body: { type: 'progress' } })

/** Collects what arrives and resolves when so many are there. */
function collector<Item>() {
  const items: Item[] = []
  let check = () => {}
  return {
    items,
    add: (item: Item) => {
      items.push(item)
      check()
    },
    reaches: (count: number) =>
      new Promise<Item[]>((resolve) => {
        check = () => {
          if (items.length >= count) resolve(items)
        }
        check()
      }),
  }
}

export function busContract(
  name: string,
  open: () => Promise<{ first: Bus; second: Bus; close(): Promise<void> }>,
): void {
  let opened: Awaited<ReturnType<typeof open>> | undefined
  const buses = async () => {
    opened ??= await open()
    return opened
  }
  after(async () => await opened?.close())
  const it = (title: string, run: (first: Bus, second: Bus) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const { first, second } = await buses()
      await run(first, second)
    })

  it('each offer is taken once, however many take', async (first, second) => {
    const taken = collector<string>()
    const takers = [first, second].map((bus) => bus.take(['one'], (offer) => taken.add(offer.taskId)))
    for (const taker of takers) taker.more(100)
    const offers = Array.from({ length: 50 }, () => offerOf('one'))
    for (const offer of offers) first.offer(offer)
    const got = await taken.reaches(50)
    assert.deepEqual(new Set(got), new Set(offers.map((offer) => offer.taskId)))
    assert.equal(got.length, 50)
    for (const taker of takers) await taker.stop()
  })

  it('nothing comes before the taker asks, and no more than it asked for', async (first) => {
    const taken = collector<Offer>()
    const taker = first.take(['two'], taken.add)
    for (let n = 0; n < 5; n++) first.offer(offerOf('two'))
    taker.more(2)
    await taken.reaches(2)
    assert.equal(taken.items.length, 2)
    taker.more(3)
    await taken.reaches(5)
    await taker.stop()
  })

  it('a taker may ask for more while it is given an offer, however many wait; once stopped it gets none', async (first) => {
    const count = name === 'in-process' ? 30_000 : 300
    const taken = collector<string>()
    const taker = first.take(['many'], (offer) => {
      taken.add(offer.taskId)
      taker.more(1)
    })
    const offers = Array.from({ length: count }, () => offerOf('many'))
    for (const offer of offers) first.offer(offer)
    taker.more(1)
    assert.equal(new Set(await taken.reaches(count)).size, count)
    await taker.stop()
    first.offer(offerOf('many'))
    taker.more(1)
    await settle(first)
    assert.equal(taken.items.length, count)
  })

  it('an offer carries the task and its tenant unchanged', async (first) => {
    const taken = collector<Offer>()
    const taker = first.take(['carry'], taken.add)
    taker.more(1)
    const offer = offerOf('carry', 'high')
    first.offer(offer)
    assert.deepEqual((await taken.reaches(1))[0], offer)
    await taker.stop()
  })

  it('the same offer made again at once, by a second sweep, wakes nobody twice', async (first) => {
    const taken = collector<string>()
    const taker = first.take(['same'], (offer) => taken.add(offer.taskId))
    const offer = offerOf('same')
    for (let n = 0; n < 3; n++) first.offer(offer)
    const last = offerOf('same')
    first.offer(last)
    taker.more(10)
    await taken.reaches(2)
    assert.deepEqual(taken.items, [offer.taskId, last.taskId])
    await taker.stop()
  })

  it('a nudge reaches the host it names', async (first, second) => {
    const nudged = collector<string>()
    const stop = second.onNudge('host_a', nudged.add)
    await settle(second)
    ;(name === 'in-process' ? second : first).nudge('host_a', 'task_1')
    assert.deepEqual(await nudged.reaches(1), ['task_1'])
    stop()
  })

  it('live events reach who follows the task, and who follows the tenant, and nobody else', async (first) => {
    const one = collector<TaskEvent>()
    const all = collector<TaskEvent>()
    const other = collector<TaskEvent>()
    const add = (into: typeof one) => (events: TaskEvent[]) => events.forEach(into.add)
    const stops = [
      first.follow('t', 'task_1', add(one)),
      first.follow('t', undefined, add(all)),
      first.follow('u', undefined, add(other)),
    ]
    await settle(first)
    first.publish('t', [progress('task_1', 1), progress('task_1', 2)])
    first.publish('t', [progress('task_2', 1)])
    await all.reaches(3)
    assert.deepEqual(
      one.items.map(({ number }) => number),
      [1, 2],
    )
    assert.equal(other.items.length, 0)
    for (const stop of stops) stop()
  })

  it('platform events are kept: a late follower resumes from a number, and sees only its tenant', async (first) => {
    const event = (tenant: string, n: number): PlatformEvent => ({
      id: newId('evt'),
      type: 'agent_status',
      tenant,
      at: n,
      data: { n },
    })
    for (let n = 1; n <= 3; n++) await first.publishPlatform(event('t', n))
    await first.publishPlatform(event('u', 4))
    const seen = collector<{ event: PlatformEvent; sequence: number }>()
    const stop = await first.followPlatform(
      ['agent_status'],
      { tenant: 't', after: { agent_status: 1 } },
      (event, sequence) => seen.add({ event, sequence }),
    )
    await first.publishPlatform(event('t', 5))
    const got = await seen.reaches(3)
    assert.deepEqual(
      got.map(({ event: { at } }) => at),
      [2, 3, 5],
    )
    assert.deepEqual(
      got.map(({ sequence }) => sequence),
      [2, 3, 5],
    )
    stop()
  })

  it('a control request is answered, a failing one says why, and one that nobody serves says so', async (first, second) => {
    const server = name === 'in-process' ? first : second
    const stop = server.serveControl('host_b', async ({ verb }) => {
      if (verb === 'ping') return 'pong'
      throw new Error('not that')
    })
    await settle(server)
    assert.equal(await first.control('host_b', { verb: 'ping' }, 2_000), 'pong')
    await assert.rejects(first.control('host_b', { verb: 'drain' }, 2_000), /not that/)
    await assert.rejects(first.control('host_c', { verb: 'ping' }, 500), { code: 'unavailable' })
    stop()
  })
}

/** A round trip on the same connection: what was subscribed before it is known to the server. */
async function settle(bus: Bus): Promise<void> {
  await bus.control('settle', { verb: 'ping' }, 200).catch(() => {})
}
