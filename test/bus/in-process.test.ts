import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Offer } from '../../src/bus/bus.ts'
import { createInProcessBus } from '../../src/bus/in-process.ts'
import { acceptedRow } from '../../src/journal/rows.ts'
import { busContract } from './contract.ts'
import { offerOf } from './offer-of.ts'

busContract('in-process', async () => {
  const bus = createInProcessBus()
  return { first: bus, second: bus, close: () => bus.close() }
})

test('in a long queue offers wait without their rows: the first thousand have theirs, and none is lost', async () => {
  const bus = createInProcessBus()
  const offers = Array.from({ length: 1_500 }, (): Offer => {
    const offer = offerOf('busy')
    return { ...offer, task: acceptedRow({ ...offer, id: offer.taskId, input: 'text', depth: 0 }, 1) }
  })
  for (const offer of offers) bus.offer(offer)
  const taken: Offer[] = []
  bus.take(['busy'], (offer) => taken.push(offer)).more(offers.length)
  const bare = offers.slice(1_000).map(({ task: _, ...offer }) => offer)
  assert.deepEqual(taken, [...offers.slice(0, 1_000), ...bare])
  await bus.close()
})
