// The process of one isolated plug-in: a host of its agents, whose journal, bus and services are calls to the process
// that started it. It is told what it needs in TROUPE_PLUGIN, and finds no credentials anywhere.
import { createHost } from '../host/host.ts'
import { unobserved } from '../host/observe.ts'
import { contextMaker } from '../host/services.ts'
import { remoteParts } from '../isolation/index.ts'
import { AgentRegistry, agentsOf, recordOf } from '../plugins/index.ts'
import type { PluginOrders } from './isolated.ts'
import { runProcess } from './process.ts'

await runProcess(async () => {
  const orders = JSON.parse(process.env.TROUPE_PLUGIN ?? '{}') as PluginOrders
  const remote = remoteParts(
    { send: (message) => process.send?.(message), onMessage: (handler) => process.on('message', handler) },
    orders.tools,
  )
  const agents = new AgentRegistry()
  const loaded = await agentsOf(orders.package)
  if (orders.describe) return { facts: { agents: JSON.stringify(loaded.map(recordOf)) }, stop: async () => {} }
  // The answers of the guard are all this process may have to wait for.
  process.channel?.ref()
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
