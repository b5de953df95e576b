// A process for garbage.test.ts: ends so many tasks, 64 at a time, and says when the first quarter is behind it.
import { mkdtempSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { createInProcessBus } from '../../src/bus/in-process.ts'
import { createDesk } from '../../src/desk/desk.ts'
import { createHost } from '../../src/host/host.ts'
import { unobserved } from '../../src/host/observe.ts'
import { absentServices, contextMaker } from '../../src/host/services.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { AgentRegistry } from '../../src/plugins/registry.ts'
import { defineAgent } from '../../src/sdk/index.ts'

const count = Number(process.argv[2])
const folder = mkdtempSync(join(tmpdir(), 'troupe-garbage-'))
const journal = await openSqliteJournal({ folder })
const bus = createInProcessBus()
const agents = new AgentRegistry([
  defineAgent({
    name: 'noop',
    version: '1.0.0',
    description: 'Returns at once',
    input: z.any(),
    output: z.any(),
    concurrency: 64,
    run: async () => 1,
  }),
])
const host = createHost({
  journal,
  bus,
  agents,
  makeContext: contextMaker(absentServices),
  observe: unobserved,
  onTrouble: (what, error) => console.error(what, error),
})
await host.start()
const desk = createDesk({ journal, bus, agents })
let begun = 0
const caller = async () => {
  while (begun < count) {
    if (++begun === count / 4) writeSync(1, 'warm\n')
    await desk.submit({ tenant: 'test', agent: 'noop', input: 1 })
  }
}
await Promise.all(Array.from({ length: 64 }, caller))
await host.stop()
await bus.close()
await journal.close()
rmSync(folder, { recursive: true })
