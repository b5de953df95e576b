// Gateway, hosts and journal embedded in one process, agents that do nothing: can it take so many submissions a second
// for so long, how long does each wait for its answer, and is every task completed in the end?
//   node bench/gateway-held.ts [--rate 1000] [--seconds 60] [--connections 64]
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
// @ts-expect-error: the package carries no types
import autocannon from 'autocannon'
import { z } from 'zod'

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    connections: { type: 'string', default: '64' },
    serve: { type: 'string' },
  },
})

if (values.serve !== undefined) await serve(values.serve)
else await measure()

async function measure(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-bench-'))
  const child = fork(import.meta.filename, ['--serve', folder], { stdio: 'inherit' })
  const { url, key } = await new Promise<{ url: string; key: string }>((resolve) =>
    child.once('message', (message) => resolve(message as { url: string; key: string })),
  )
  const latencies: number[] = []
  const load = autocannon({
    url: `${url}/v1/tasks`,
    method: 'POST',
    connections: Number(values.connections),
    overallRate: Number(values.rate),
    duration: Number(values.seconds),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ agent: 'nothing', input: { text: 'a short text' } }),
  })
  load.on('response', (_client: unknown, _status: number, _bytes: number, ms: number) => latencies.push(ms))
  const result = await load
  const accepted: number = result['2xx']
  latencies.sort((one, other) => one - other)
  const part = (share: number) => latencies[Math.floor(latencies.length * share)]?.toFixed(1)
  console.log(`${accepted} accepted in ${result.duration} s: ${Math.round(accepted / result.duration)} a second`)
  console.log(`refused or failed: ${result.non2xx + result.errors}`)
  console.log(`answered after p50 ${part(0.5)} ms, p95 ${part(0.95)} ms, p99 ${part(0.99)} ms (bar: p95 under 100)`)
  const ended = performance.now()
  let completed = 0
  // What was under way when the load ended may have been accepted without its answer being counted.
  while (completed < accepted && performance.now() - ended < 120_000) {
    completed = await completedTasks(url)
    if (completed < accepted) await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const after = ((performance.now() - ended) / 1_000).toFixed(1)
  console.log(`${completed} completed (accepted: ${accepted}), the last one ${after} s after the load`)
  child.kill('SIGTERM')
  await rm(folder, { recursive: true, force: true })
}

async function completedTasks(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^troupe_tasks\{agent="nothing",state="completed"\} (\d+)$/m.exec(text)?.[1] ?? 0)
}

async function serve(folder: string): Promise<void> {
  const { createInProcessBus } = await import('../src/bus/in-process.ts')
  const { createDesk } = await import('../src/desk/desk.ts')
  const { createGateway, ensureAdminKey, openSqliteGatewayStore } = await import('../src/gateway/index.ts')
  const { createHost } = await import('../src/host/host.ts')
  const { unobserved } = await import('../src/host/observe.ts')
  const { absentServices, contextMaker } = await import('../src/host/services.ts')
  const { openFileBlobs } = await import('../src/journal/file-blobs.ts')
  const { openSqliteJournal } = await import('../src/journal/sqlite/index.ts')
  const { AgentRegistry } = await import('../src/plugins/registry.ts')
  const { defineAgent } = await import('../src/sdk/define-agent.ts')
  const nothing = defineAgent({
    name: 'nothing',
    version: '1.0.0',
    description: 'Does nothing',
    input: z.object({ text: z.string() }),
    output: z.object({ done: z.boolean() }),
    run: async () => ({ done: true }),
    concurrency: 256,
  })
  const agents = new AgentRegistry([nothing])
  const journal = await openSqliteJournal({ folder })
  const bus = createInProcessBus()
  const store = openSqliteGatewayStore({ folder })
  const blobs = await openFileBlobs({ folder: join(folder, 'blobs') })
  const onTrouble = (what: string, error: unknown) => console.error(what, error)
  const makeContext = contextMaker(absentServices)
  const host = createHost({ journal, bus, agents, makeContext, observe: unobserved, onTrouble })
  await host.start()
  const desk = createDesk({ journal, bus, agents })
  const gateway = await createGateway({ desk, journal, bus, agents, store, blobs, config: { logLevel: 'warn' } })
  const { url } = await gateway.listen('127.0.0.1', 0)
  process.send!({ url, key: await ensureAdminKey(folder, store) })
}
