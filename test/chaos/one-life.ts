// One life of a process that runs the task: accepts it once, works on it, and kills itself with SIGKILL before or after
// a given commit. Prints the ended task. Arguments: folder, number of the commit to die at (0: never), before|after.
import { appendFileSync, closeSync, fsyncSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createInProcessBus } from '../../src/bus/in-process.ts'
import { createDesk } from '../../src/desk/desk.ts'
import { createHost } from '../../src/host/host.ts'
import { unobserved } from '../../src/host/observe.ts'
import { absentServices, contextMaker } from '../../src/host/services.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { AgentRegistry } from '../../src/plugins/registry.ts'
import { doubler, everythingAgent } from '../actor/everything.ts'

const [folder = '', dieAt = '0', when = 'after'] = process.argv.slice(2)
const tenant = 'test'

const agents = new AgentRegistry([
  everythingAgent((key, step) => {
    const file = openSync(join(folder, 'effects.log'), 'a')
    appendFileSync(file, `${JSON.stringify({ key, step, process: process.pid })}\n`)
    fsyncSync(file)
    closeSync(file)
  }),
  doubler,
])
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
const { task } = await desk.submit({ tenant, agent: 'everything', input: { number: 20 }, idempotencyKey: 'the-task' })
for await (const { body } of desk.follow(tenant, task.id, 0, AbortSignal.timeout(30_000))) {
  // The same message id in every life: the person answers once.
  if (body.type === 'emitted')
    await desk.signal(tenant, task.id, { type: 'approve', by: 'ada' }, 'answer').catch(() => {})
}
const ended = await desk.get(tenant, task.id)
const events = await desk.events(tenant, task.id, 0, 500)
console.log(JSON.stringify({ task: ended, commits, numbers: events.map((event) => event.number) }))
await host.stop()
await bus.close()
await journal.close()
