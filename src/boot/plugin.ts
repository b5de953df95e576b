// The process of one isolated plug-in: a host of its agents, whose journal, bus and services are calls to the process
// that started it. It is told what it needs in TROUPE_PLUGIN, and finds no credentials anywhere.
import { Socket } from 'node:net'
import { createHost } from '../host/host.ts'
import { unobserved } from '../host/observe.ts'
import { contextMaker } from '../host/services.ts'
import { remoteParts, wireOver } from '../isolation/index.ts'
import { AgentRegistry, agentsOf, recordOf } from '../plugins/index.ts'
import { EXIT_DRAINED } from '../supervision/child-side.ts'
import type { PluginOrders } from './isolated.ts'
import { runProcess } from './process.ts'

await runProcess(async () => {
  const orders = JSON.parse(process.env.TROUPE_PLUGIN ?? '{}') as PluginOrders
  const pipe = new Socket({ fd: 3 })
  // The process that answers is gone; its successor starts another of this one.
  pipe.once('close', () => process.exit(EXIT_DRAINED))
  const wire = wireOver(pipe, (why) => console.error(`The pipe broke: ${why}.`))
  const remote = remoteParts(wire, orders.tools)
  const agents = new AgentRegistry()
  const loaded = await agentsOf(orders.package)
  if (orders.describe) {
    wire.send(loaded.map(recordOf))
    return { stop: async () => {} }
  }
  for (const agent of loaded) agents.add(agent)
  for (const record of orders.askable) if (agents.find(record.name) === undefined) agents.addRecord(record)
  const host = createHost({
    journal: remote.journal,
    bus: remote.bus,
    agents,
    makeContext: (task, run, source, report) => contextMaker(remote.services(task))(task, run, source, report),
    observe: unobserved,
    label: orders.package.name,
    onTrouble: (what, error) => console.error(`Trouble with ${what}: ${(error as Error).message}`),
  })
  await host.start()
  return { facts: { host: host.id }, stop: () => host.drain(orders.graceMs) }
})
