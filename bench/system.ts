// One system in a process of its own: its memory is its own, and nothing that another one left behind slows it.
import { type Measurement, measure, type Subject } from './measure.ts'
import { measureSleepers } from './sleepers.ts'
import { bullmqSubject } from './systems/bullmq.ts'
import { bullmqProcessesSubject } from './systems/bullmq-processes.ts'
import { clusterSubject } from './systems/cluster.ts'
import { postgresQueueSubject } from './systems/postgres-queue.ts'
import { troupeSubject } from './systems/troupe.ts'
import { measureTransitions } from './transitions.ts'

const [system = 'troupe', workload = 'noop', chosenStore = 'sqlite', count] = process.argv.slice(2)
const store = chosenStore === 'postgres' ? 'postgres' : 'sqlite'

async function subject(): Promise<{ subject: Subject; store: string }> {
  if (system === 'troupe-cluster') return { subject: await clusterSubject('websocket'), store: 'postgres + nats' }
  if (system === 'troupe-cluster-http') return { subject: await clusterSubject('http'), store: 'postgres + nats' }
  if (system === 'bullmq-processes') return { subject: await bullmqProcessesSubject(), store: 'redis' }
  if (system === 'bullmq-everysec') return { subject: await bullmqSubject(workload, 'everysec'), store: 'redis' }
  if (system === 'bullmq-always') return { subject: await bullmqSubject(workload, 'always'), store: 'redis' }
  if (system === 'postgres-queue') return { subject: await postgresQueueSubject(workload), store: 'postgres' }
  return { subject: await troupeSubject(workload, store), store }
}

async function run(): Promise<Measurement> {
  if (workload === 'sleepers') return await measureSleepers(store, Number(count || 100_000))
  if (workload === 'transitions') return measureTransitions(Number(count || 100_000))
  const n = Number(count || 10_000)
  const under = await subject()
  const figures = await measure(under.subject, n)
  await under.subject.close()
  return { system, workload, store: under.store, n, ...figures }
}

console.log(JSON.stringify(await run()))
