// The process of one isolated plug-in: a host of its agents, whose journal, bus and services are calls to the process
// that started it. It is told what it needs in TROUPE_PLUGIN, and finds no credentials anywhere.
import { Socket } from 'node:net'
import { createHost } from '../host/host.ts'
import { contextMaker } from '../host/services.ts'
import { createPeer, DeclaredAgents, remoteParts, wireOver } from '../isolation/index.ts'
import { AgentRegistry, agentsOf, NO_PERMISSIONS, recordOf } from '../plugins/index.ts'
import { EXIT_DRAINED } from '../supervision/child-side.ts'
import type { PluginOrders } from './plugin-orders.ts'
import { runProcess } from './process.ts'
import { type OpenTask, wouldBreak } from './would-break.ts'

await runProcess(async () => {
  const orders = JSON.parse(process.env.TROUPE_PLUGIN ?? '{}') as PluginOrders
  const pipe = new Socket({ fd: 3 })
  // The process that answers is gone; its successor starts another of this one.
  pipe.once('close', () => process.exit(EXIT_DRAINED))
  const wire = wireOver(pipe, (why) => console.error(`The pipe broke: ${why}.`))
  if (orders.examine) return await answerQuestions(orders)
  const permissions = orders.package.permissions ?? NO_PERMISSIONS
  const remote = remoteParts(wire, { permissions, llm: orders.llm })
  const host = createHost({
    journal: remote.journal,
    bus: remote.bus,
    agents: new DeclaredAgents(await agentsOf(orders.package), orders.askable, permissions),
    makeContext: (task, run, source, report) => contextMaker(remote.services(task))(task, run, source, report),
    observe: remote.observe,
    label: orders.package.name,
    onTrouble: (what, error) => console.error(`Trouble with ${what}: ${(error as Error).message}`),
  })
  await host.start()
  return { facts: { host: host.id }, stop: () => host.drain(orders.graceMs) }

  async function answerQuestions({ package: found }: PluginOrders) {
    // Why a package does not load is the answer to every question.
    const loaded = agentsOf(found)
    createPeer(wire, {
      describe: async () => (await loaded).map(recordOf),
      wouldBreak: async (task: OpenTask) => wouldBreak(new AgentRegistry(await loaded), task),
    })
    await loaded.catch(() => {})
    return { stop: async () => {} }
  }
})
