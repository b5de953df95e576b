// Many WebSocket connections that follow live tasks: is every event seen once and in order, and what memory does the
// gateway need? Gateway and readers are processes of their own; the gateway's process also plays the hosts.
//   node bench/gateway-streams.ts [--connections 2000] [--events 20]
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { EventBody } from '../src/contract/events.ts'

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '2000' },
    events: { type: 'string', default: '20' },
    serve: { type: 'string' },
  },
})
const connections = Number(values.connections)
const events = Number(values.events)
/** task.started, the progress events, task.completed, after task.accepted. */
const expected = events + 3

if (values.serve !== undefined) await serve(values.serve)
else await measure()

interface Ready {
  url: string
  key: string
  tasks: string[]
}

async function measure(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-bench-'))
  const args = ['--serve', folder, '--connections', values.connections, '--events', values.events]
  const child = fork(import.meta.filename, args, { stdio: 'inherit' })
  const { url, key, tasks } = await said<Ready>(child)
  const connecting = performance.now()
  const readers = tasks.map((task) => follow(url, key, task))
  await Promise.all(readers.map((reader) => reader.following))
  const connected = performance.now()
  child.send('go')
  const seen = await Promise.all(readers.map((reader) => reader.ended))
  const ended = performance.now()
  child.send('memory')
  const memory = await said<{ peakMb: number }>(child)
  const wrong = seen.filter((numbers) => numbers.length !== expected || numbers.some((number, at) => number !== at + 1))
  console.log(`${connections} connections, ${(connected - connecting).toFixed(0)} ms to connect and follow`)
  console.log(`${connections * expected} events in ${(ended - connected).toFixed(0)} ms`)
  console.log(`readers with an event lost, twice or out of order: ${wrong.length} (bar: 0)`)
  console.log(`gateway’s memory at its highest: ${memory.peakMb} MB, journal and hosts’ part included (bar: 400)`)
  child.kill('SIGTERM')
  await rm(folder, { recursive: true, force: true })
}

function said<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve) => child.once('message', (message) => resolve(message as Message)))
}

function follow(url: string, key: string, task: string): { following: Promise<void>; ended: Promise<number[]> } {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/stream`, ['troupe.v1', `troupe.bearer.${key}`])
  const following = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<number[]>()
  const numbers: number[] = []
  socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'follow', task })))
  socket.addEventListener('error', () => following.reject(new Error('a connection was refused')))
  socket.addEventListener('close', () => ended.resolve(numbers))
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data))
    if (message.type === 'following') following.resolve()
    if (message.type === 'event') numbers.push(message.event.number)
    if (message.type === 'ended') socket.close()
  })
  return { following: following.promise, ended: ended.promise }
}

async function serve(folder: string): Promise<void> {
  const { createInProcessBus } = await import('../src/bus/in-process.ts')
  const { createDesk } = await import('../src/desk/desk.ts')
  const { createGateway, ensureAdminKey, openSqliteGatewayStore } = await import('../src/gateway/index.ts')
  const { openFileBlobs } = await import('../src/journal/file-blobs.ts')
  const { openSqliteJournal } = await import('../src/journal/sqlite/index.ts')
  const journal = await openSqliteJournal({ folder })
  const bus = createInProcessBus()
  const store = openSqliteGatewayStore({ folder })
  const blobs = await openFileBlobs({ folder: join(folder, 'blobs') })
  const schemas = { inputSchema: {}, outputSchema: {} }
  const checks = { checkInput: (input: unknown) => input, checkMessage: () => {} }
  const echo = { name: 'echo', version: '1.0.0', description: 'Takes anything', ...schemas, ...checks }
  const agents = { find: () => echo, require: () => echo, list: () => [echo] }
  const desk = createDesk({ journal, bus, agents })
  const gateway = await createGateway({ desk, journal, bus, agents, store, blobs, config: { logLevel: 'warn' } })
  const submit = async () => (await desk.submit({ tenant: 'default', agent: 'echo', input: 1 })).task.id
  const tasks = await Promise.all(Array.from({ length: connections }, submit))
  const { url } = await gateway.listen('127.0.0.1', 0)
  process.send!({ url, key: await ensureAdminKey(folder, store), tasks } satisfies Ready)

  async function commit(taskId: string, bodies: EventBody[], ends: boolean): Promise<void> {
    const { task } = (await journal.load(taskId))!
    if (task.owner === undefined) await journal.keepLease({ hostId: 'host_bench', info: {}, leaseMs: 60_000 })
    const outcome = await journal.commit({
      taskId,
      epoch: task.epoch,
      version: task.version,
      lastEvent: task.lastEvent,
      state: ends ? 'completed' : 'running',
      release: ends,
      events: bodies,
      ...(task.owner === undefined ? { claim: { hostId: 'host_bench' } } : {}),
    })
    if (!outcome.applied) throw new Error(outcome.because)
    const first = outcome.lastEvent - bodies.length + 1
    const numbered = bodies.map((body, index) => ({ task: taskId, number: first + index, at: outcome.at, body }))
    bus.publish('default', numbered)
  }

  process.on('message', async (wanted) => {
    if (wanted === 'memory') {
      process.send!({ peakMb: Math.round(process.resourceUsage().maxRSS / 1024) })
      return
    }
    await Promise.all(tasks.map((task) => commit(task, [{ type: 'task.started', host: 'host_bench' }], false)))
    for (let step = 1; step <= events; step++) {
      const progress: EventBody = { type: 'progress', fraction: step / events, message: 'on its way' }
      await Promise.all(tasks.map((task) => commit(task, [progress], false)))
    }
    await Promise.all(tasks.map((task) => commit(task, [{ type: 'task.completed' }], true)))
  })
}
