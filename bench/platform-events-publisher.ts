// The publisher of platform-events.ts: so many events of all five streams, 512 unacknowledged at a time.
import { setTimeout as wait } from 'node:timers/promises'
import { openNatsBus } from '../src/bus/nats/index.ts'
import { PLATFORM_STREAMS, type PlatformEventType } from '../src/contract/events.ts'
import { newId } from '../src/contract/ids.ts'

const IN_FLIGHT = 512
const TYPES = Object.keys(PLATFORM_STREAMS) as PlatformEventType[]
const bus = await openNatsBus({ url: process.argv[2]! })
process.send!('ready')
// Whoever measured was killed.
process.once('disconnect', () => process.exit())
process.on('message', async (wanted: 'stop' | { n: number; rate: number }) => {
  if (wanted === 'stop') {
    await bus.close()
    process.disconnect()
    return
  }
  const { n, rate } = wanted
  const cpu = process.cpuUsage()
  const started = performance.now()
  let next = 0
  let refused = 0
  const publisher = async () => {
    while (next < n) {
      const at = next++
      const aheadMs = rate === 0 ? 0 : (at / rate) * 1_000 - (performance.now() - started)
      if (aheadMs > 2) await wait(aheadMs)
      const data = { n: at, name: 'minutes.pdf', mime: 'application/pdf', bytes: 48_211, by: 'key_01m7y9453vcs3f2y8p' }
      const type = TYPES[at % TYPES.length]!
      await bus
        .publishPlatform({ id: newId('evt'), type, tenant: 'default', at: Date.now(), data })
        .catch(() => refused++)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, publisher))
  const { user, system } = process.cpuUsage(cpu)
  process.send!({ ms: performance.now() - started, refused, cpuMs: (user + system) / 1_000 })
})
