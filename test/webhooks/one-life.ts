// One life of a process that does a task with a callback, delivers it, and kills itself with SIGKILL before or after a
// given commit. Prints the ended delivery. Arguments: folder, receiver, number of the commit to die at (0: never), before|after.
import { z } from 'zod'
import { createInProcessBus } from '../../src/bus/in-process.ts'
import { createDesk } from '../../src/desk/desk.ts'
import { createHost } from '../../src/host/host.ts'
import { unobserved } from '../../src/host/observe.ts'
import { absentServices, contextMaker } from '../../src/host/services.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { AgentRegistry } from '../../src/plugins/registry.ts'
import { defineAgent } from '../../src/sdk/index.ts'
import { callbacksInMemory, deliveringAgent, TENANT } from './stage.ts'

const [folder = '', receiver = '', dieAt = '0', when = 'after'] = process.argv.slice(2)
const privateOnes = [receiver]
const callbacks = callbacksInMemory(privateOnes, '07'.repeat(32))
const journal = await openSqliteJournal({ folder })
const commit = journal.commit.bind(journal)
let commits = 0
journal.commit = async (what) => {
  commits += 1
  const dies = commits === Number(dieAt)
  if (dies && when === 'before') process.kill(process.pid, 'SIGKILL')
  const outcome = await commit(what)
  if (dies) process.kill(process.pid, 'SIGKILL')
  return outcome
}
const worker = defineAgent({
  name: 'worker',
  version: '1.0.0',
  description: 'Works in one step',
  input: z.null(),
  output: z.string(),
  run: ({ step }) => step('work', () => 'done'),
})
const agents = new AgentRegistry([worker, deliveringAgent(journal, { callbacks, privateOnes })])
const bus = createInProcessBus()
const host = createHost({
  journal,
  bus,
  agents,
  makeContext: contextMaker(absentServices),
  observe: unobserved,
  onTrouble: (what, error) => console.error(what, error),
})
// The process before this one is dead for certain: its leases end now, as a supervisor would end them.
for (const { hostId } of await journal.hosts()) await journal.endLease(hostId)
await host.start()
const desk = createDesk({ journal, bus, agents })
const told = [await callbacks.own(TENANT, { url: receiver })]
const request = { tenant: TENANT, agent: 'worker', input: null, idempotencyKey: 'the-task', callbacks: told }
const { task } = await desk.submit(request)
await desk.waitForEnd(TENANT, task.id, 30_000)
const { tasks } = await desk.list(TENANT, { labels: [`troupe.delivery-of:${task.id}`] })
const delivery = await desk.waitForEnd(TENANT, tasks[0]!.id, 30_000)
console.log(JSON.stringify({ deliveries: tasks.length, state: delivery.state, output: delivery.output, commits }))
await host.stop()
await bus.close()
await journal.close()
