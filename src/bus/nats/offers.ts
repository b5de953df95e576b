// Offers: one durable pull consumer for each lane of each agent, shared by all hosts. Tasks that were accepted in one
// turn are offered in batches. A host pulls only as much as it has room for, and gives back what is over. The offer is
// acknowledged when it is read: it is a doorbell, and the sweep rings it again for a task that nobody claimed.
//
// Each task has a place of its own in the queue: a subject, on which the stream keeps one message and refuses a second.
// So what waits because all hosts are busy may be announced as often as the sweep likes: it keeps its place, and the
// queue stays as long as there are tasks that wait, which is what autoscalers go by.
import { jetstream } from '@nats-io/jetstream'
import { LEASE_MS, LEASE_RENEWAL_MS } from '../../contract/limits.ts'
import { LANES } from '../../contract/task.ts'
import type { TaskRow, Wake } from '../../journal/journal.ts'
import type { Offer, Taker } from '../bus.ts'
import { createLanes } from '../lanes.ts'
import { afterTurn, inBatches } from './after-turn.ts'
import type { Connection } from './connection.ts'
import { ensureOfferConsumer, ensureStreams } from './streams.ts'
import type { Subjects } from './subjects.ts'

/**
 * A pull that nothing answers is renewed this often. The server goes on answering the pulls of a machine that vanished:
 * all of them must have ended before the earliest moment at which its lease can, because then its tasks are offered anew.
 */
const PULL_MS = LEASE_MS - LEASE_RENEWAL_MS
const MAX_PULL = 64
const RETRY_MS = 500
/** A task's row travels with its offer up to this size; the taker reads a larger one. */
const MAX_CARRIED = 32 * 1024
/** Offers in one message: few enough that several hosts share the tasks of one moment. */
const MAX_BATCH = 16
const MAX_BYTES = 512 * 1024

/** Offers of one lane of one agent, as JSON, with the place of each. */
interface Queued {
  lane: string
  agent: string
  places: string[]
  offers: string[]
}

/** So long after it was full a host takes only what is queued: its pulls are answered by then. */
const QUEUE_FIRST_MS = 20

/** A fresh task says all that its offer would. */
type Sent = Wake | { task: TaskRow }

function received(sent: Sent): Offer {
  if (!('task' in sent)) return sent
  const { id: taskId, tenant, agent, agentVersion, priority, epoch } = sent.task
  return { taskId, tenant, agent, agentVersion, priority, epoch, task: sent.task }
}

/** Whoever had it first died at once, or was slow: what it says of the task may be of the past. */
function anew(sent: Sent): Offer {
  const { task: _, ...bare } = received(sent)
  return { ...bare, found: true }
}

/** A released task has another epoch: the offer that its last owner has just read must not stand in its way. */
function placeOf({ taskId, epoch }: Wake): string {
  return `${taskId}-${epoch}`
}

export function createOffers(connection: Connection, subjects: Subjects) {
  const { nats } = connection
  const stops = new Set<() => Promise<void>>()
  /** Just accepted and not yet sent, by queue. */
  const fresh = new Map<string, Queued>()

  const sendFresh = afterTurn(() => {
    for (const queued of fresh.values()) sendBatches(queued)
    fresh.clear()
  })

  /** A batch goes to the subject of its first task. */
  function sendBatches({ lane, agent, places, offers }: Queued): void {
    for (const { first, payload } of inBatches(offers, MAX_BATCH, MAX_BYTES)) {
      // Without waiting for the answer: an offer that did not arrive is found by the sweep.
      if (connection.connected) nats.publish(subjects.offer(lane, agent, places[first]!), payload)
    }
  }

  function offer(made: Offer): void {
    if (!connection.connected) return
    const { task, because = '', ...bare } = made
    const { agent, priority: lane } = made
    if (task === undefined) {
      // What was sent to one who died may still be on its way to him: a place beside it, or it would be refused.
      const place = because === '' ? placeOf(made) : `${placeOf(made)}-${because}`
      nats.publish(subjects.offer(lane, agent, place), JSON.stringify([bare]))
      return
    }
    const carried = JSON.stringify({ task })
    const key = `${lane} ${agent}`
    const queued = fresh.get(key) ?? { lane, agent, places: [], offers: [] }
    fresh.set(key, queued)
    queued.places.push(placeOf(made))
    queued.offers.push(carried.length <= MAX_CARRIED ? carried : JSON.stringify(bare))
    sendFresh()
  }

  function take(agents: string[], onOffer: (offer: Offer) => void): Taker {
    const held = createLanes<Offer>(LANES, Number.POSITIVE_INFINITY)
    const waiting = new Set<() => void>()
    const pulls = new Set<{ close(): Promise<unknown> }>()
    let room = 0
    let fullAt = Number.NEGATIVE_INFINITY
    let stopped = false

    function hand(): void {
      while (room > 0 && held.size > 0) {
        leave()
        onOffer(held.take()!)
      }
    }

    function leave(): void {
      room -= 1
      if (room === 0) fullAt = performance.now()
    }

    function freeRoom(): number {
      const waits = performance.now() - fullAt < QUEUE_FIRST_MS
      return stopped || waits ? 0 : Math.max(0, room - held.size)
    }

    /** What there is no room for goes back at once: others may have some. */
    function receive(agent: string, lane: string, message: { json<Value>(): Value; redelivered: boolean }): void {
      const said = message.json<Sent[] | Sent>()
      // A gateway that was not updated yet offers one by one.
      const offers = Array.isArray(said) ? said : [said]
      const most = Math.max(0, room - held.size)
      for (const sent of offers.slice(0, most)) held.put(lane, message.redelivered ? anew(sent) : received(sent))
      const over = offers.slice(most)
      if (over.length > 0) {
        const places = over.map((sent) => placeOf(received(sent)))
        sendBatches({ lane, agent, places, offers: over.map((sent) => JSON.stringify(sent)) })
      }
      hand()
    }

    function wakeAll(): void {
      for (const wake of waiting) wake()
      waiting.clear()
    }

    async function pull(agent: string, lane: string): Promise<void> {
      while (!stopped) {
        // What is held and not yet handed over counts: a host must not hoard what others could run.
        if (room - held.size <= 0) {
          await new Promise<void>((resolve) => waiting.add(resolve))
          continue
        }
        try {
          const consumer = await jetstream(nats).consumers.get(
            subjects.offersStream,
            subjects.offerConsumer(lane, agent),
          )
          while (!stopped && room - held.size > 0) {
            const max_messages = Math.min(MAX_PULL, Math.ceil((room - held.size) / MAX_BATCH))
            const messages = await consumer.fetch({ max_messages, expires: PULL_MS })
            pulls.add(messages)
            try {
              for await (const message of messages) {
                message.ack()
                receive(agent, lane, message)
              }
            } finally {
              pulls.delete(messages)
            }
          }
        } catch {
          // The consumer, its stream or the whole store is gone (or was never there): make them anew.
          if (!stopped) await heal(agent, lane)
        }
      }
    }

    async function heal(agent: string, lane: string): Promise<void> {
      try {
        await ensureStreams(nats, subjects)
        await ensureOfferConsumer(nats, subjects, lane, agent)
      } catch {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, RETRY_MS)
          waiting.add(() => {
            clearTimeout(timer)
            resolve()
          })
        })
      }
    }

    const loops = agents.flatMap((agent) =>
      LANES.map(async (lane) => {
        await heal(agent, lane)
        await pull(agent, lane)
      }),
    )

    const stop = async () => {
      stopped = true
      wakeAll()
      for (const messages of [...pulls]) await messages.close()
      await Promise.all(loops)
      stops.delete(stop)
    }
    stops.add(stop)

    return {
      more(count) {
        if (room === 0 && fullAt > 0) fullAt = performance.now()
        room += count
        hand()
        if (room > 0) wakeAll()
      },
      room: freeRoom,
      admit() {
        if (freeRoom() === 0) return false
        leave()
        return true
      },
      stop,
    }
  }

  return {
    offer,
    take,
    async stop() {
      await Promise.all([...stops].map((stop) => stop()))
    },
  }
}
