// A life of a host below which an isolated plug-in runs tasks, one after the other. At one commit of each task it kills,
// with SIGKILL, the plug-in's process or itself. Prints each ended task as a line. Arguments: the data folder with a
// plugin added, plugin|host, and the tasks as JSON: [{ key, dieAt (0: never), when: before|after }].
import { setTimeout as wait } from 'node:timers/promises'
import { startIsolated } from '../../src/boot/isolated.ts'
import { createLog } from '../../src/boot/services.ts'
import { readSettings } from '../../src/boot/settings.ts'
import { openStores } from '../../src/boot/stores.ts'
import { startTelemetry } from '../../src/boot/telemetry.ts'
import { connectWorkers } from '../../src/boot/workers.ts'
import { createDesk } from '../../src/desk/desk.ts'
import { createHost } from '../../src/host/host.ts'
import { unobserved } from '../../src/host/observe.ts'
import { absentServices, contextMaker } from '../../src/host/services.ts'
import { type AgentRecord, AgentRegistry, readAdded, readPackage } from '../../src/plugins/index.ts'

const [data = '', who = '', tasks = '[]'] = process.argv.slice(2)
const points = JSON.parse(tasks) as { key: string; dieAt: number; when: 'before' | 'after' }[]
const tenant = 'test'

const settings = readSettings({ TROUPE_DATA: data, TROUPE_LOG: 'warn' })
const stores = await openStores(settings)
const [added] = await readAdded(data)
const isolated = { package: await readPackage(added!.folder), agents: added!.agents as AgentRecord[] }
const agents = new AgentRegistry()
for (const record of isolated.agents) agents.addRecord(record)

const { journal, bus } = stores
const commit = journal.commit.bind(journal)
let point = points[0]!
let commits = 0
let deaths = 0

async function killPlugin(): Promise<void> {
  const plugin = (await journal.hosts()).find(({ alive, info }) => alive && info.label === 'life/keeper')
  deaths += 1
  process.kill(Number(plugin!.info.pid), 'SIGKILL')
}

journal.commit = async (what) => {
  commits += 1
  if (commits !== point.dieAt) return await commit(what)
  if (who === 'host') {
    if (point.when === 'after') await commit(what)
    process.kill(process.pid, 'SIGKILL')
    await wait(60_000)
  }
  if (point.when === 'before') {
    await killPlugin()
    return await new Promise<never>(() => {})
  }
  const outcome = await commit(what)
  await killPlugin()
  return outcome
}

const onTrouble = (what: string, error: unknown) => console.error(what, error)
const parts = {
  settings,
  stores,
  agents,
  isolated: [isolated],
  log: createLog(settings, 'life'),
  workers: connectWorkers(settings),
  telemetry: await startTelemetry('life', () => {}),
  observe: unobserved,
  onTrouble,
}
const makeContext = contextMaker(absentServices)
const host = createHost({ journal, bus, agents, makeContext, observe: unobserved, onTrouble })
// The process before this one is dead for certain, and its plug-ins with it.
for (const { hostId } of await journal.hosts()) await journal.endLease(hostId)
await host.start()
const desk = createDesk({ journal, bus, agents })

for (point of points) {
  commits = 0
  deaths = 0
  // Anew for each task: one that is killed again and again is started again more and more slowly.
  const plugins = startIsolated(parts, 'life')
  const { task } = await desk.submit({ tenant, agent: 'keeper', input: { number: 20 }, idempotencyKey: point.key })
  for await (const { body } of desk.follow(tenant, task.id, 0, AbortSignal.timeout(60_000))) {
    // The same message id in every life: the person answers once.
    if (body.type === 'task.waiting' && body.for.kind === 'person') {
      await desk.signal(tenant, task.id, { type: 'approve', by: 'ada' }, 'answer').catch(() => {})
    }
  }
  const ended = await desk.get(tenant, task.id)
  const events = await desk.events(tenant, task.id, 0, 500)
  console.log(JSON.stringify({ task: ended, commits, deaths, numbers: events.map((event) => event.number) }))
  await plugins.stop()
}
await host.stop()
await stores.close()
