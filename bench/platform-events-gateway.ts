// The gateway of platform-events.ts, in a process of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openNatsBus } from '../src/bus/nats/index.ts'
import { createDesk } from '../src/desk/desk.ts'
import { createGateway, ensureAdminKey, openSqliteGatewayStore } from '../src/gateway/index.ts'
import { openFileBlobs } from '../src/journal/file-blobs.ts'
import { openSqliteJournal } from '../src/journal/sqlite/index.ts'
import { AgentRegistry } from '../src/plugins/registry.ts'

const folder = await mkdtemp(join(tmpdir(), 'troupe-bench-'))
const bus = await openNatsBus({ url: process.argv[2]! })
const journal = await openSqliteJournal({ folder })
const store = openSqliteGatewayStore({ folder })
const blobs = await openFileBlobs({ folder: join(folder, 'blobs') })
const agents = new AgentRegistry([])
const desk = createDesk({ journal, bus, agents })
const gateway = await createGateway({ desk, journal, bus, agents, store, blobs, config: { logLevel: 'warn' } })
const { url } = await gateway.listen('127.0.0.1', 0)
const key = await ensureAdminKey(folder, store)
process.send!({ url, key })
// Whoever measured was killed.
process.once('disconnect', () => process.exit())
process.on('message', async (wanted) => {
  if (wanted === 'figures') {
    const text = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text()
    const dropped = Number(/^troupe_gateway_streams_dropped_total(?:\{\})? (\d+)/m.exec(text)?.[1] ?? 0)
    process.send!({ peakMb: Math.round(process.resourceUsage().maxRSS / 1024), dropped })
    return
  }
  await gateway.drain(1_000)
  await bus.close()
  await journal.close()
  await rm(folder, { recursive: true, force: true })
  process.exit()
})
