// POST /v1/tasks against a bare validated Fastify POST, in one run: what durability, authentication, limits, screening
// and the audit trail cost. Hosts are paused: nothing runs the tasks. Both servers run in processes of their own.
//   npm run bench -- gateway [--json]
//   node bench/gateway.ts [--seconds 5] [--connections 64] [--passes 3]
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
// @ts-expect-error: the package carries no types
import autocannon from 'autocannon'
import { z } from 'zod'

const alone = process.argv[1] === import.meta.filename
const { values } = parseArgs({
  args: alone ? process.argv.slice(2) : [],
  options: {
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    passes: { type: 'string', default: '3' },
    serve: { type: 'string' },
    folder: { type: 'string' },
  },
})

const submission = {
  agent: 'echo',
  input: { text: 'a short text, as a caller would send it', page: 3 },
  priority: 'normal',
}

if (values.serve === 'bare') await serveBare()
else if (values.serve === 'gateway') await serveGateway(values.folder!)
else if (alone) await run({ json: false })

export async function run({ json }: { json: boolean }): Promise<void> {
  const passes: { bare: Measured; gateway: Measured; ratio: number }[] = []
  for (let pass = 1; pass <= Number(values.passes); pass++) {
    const bare = await measured('bare')
    const gateway = await measured('gateway')
    const ratio = gateway.perSecond / bare.perSecond
    passes.push({ bare, gateway, ratio })
    const line = (name: string, one: Measured) =>
      `${name} ${Math.round(one.perSecond)}/s, p50 ${one.p50} ms, p99 ${one.p99} ms, not 2xx: ${one.failed}, processor ${Math.round(one.cpu)} µs`
    if (!json) {
      console.log(`pass ${pass}: ${line('bare Fastify', bare)}; ${line('gateway', gateway)}; ratio ${ratio.toFixed(2)}`)
    }
  }
  passes.sort((one, other) => one.ratio - other.ratio)
  const { bare, gateway, ratio } = passes[Math.floor(passes.length / 2)]!
  if (!json) return console.log(`median ratio ${ratio.toFixed(2)} (bar: 0.3)`)
  for (const [system, one] of Object.entries({ 'bare-fastify': bare, gateway })) {
    const { perSecond, p50, p99, failed, cpu } = one
    const figures = { per_s: Math.round(perSecond), p50_ms: p50, p99_ms: p99, failed, cpu_us: Math.round(cpu) }
    console.log(JSON.stringify({ system, workload: 'gateway', store: 'sqlite', ...figures }))
  }
  const ratios = passes.map((pass) => Math.round(pass.ratio * 100) / 100)
  console.log(JSON.stringify({ system: 'ratio', workload: 'gateway', median: Math.round(ratio * 100) / 100, ratios }))
}

interface Measured {
  perSecond: number
  p50: number
  p99: number
  failed: number
  /** Processor time of the server for one request, in µs: hardly moved by what else runs on the machine. */
  cpu: number
}

async function measured(which: 'bare' | 'gateway'): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-bench-'))
  const child = fork(import.meta.filename, ['--serve', which, '--folder', folder], { stdio: 'inherit' })
  try {
    const ready = await new Promise<{ url: string; key: string }>((resolve, reject) => {
      child.once('message', (message) => resolve(message as { url: string; key: string }))
      child.once('exit', (code) => reject(new Error(`the ${which} server ended with ${code}`)))
    })
    const load = (seconds: number) =>
      autocannon({
        url: `${ready.url}/v1/tasks`,
        method: 'POST',
        connections: Number(values.connections),
        duration: seconds,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${ready.key}` },
        body: JSON.stringify(submission),
      })
    await load(1) // Warm: the first second compiles.
    const before = await cpuOf(child)
    const result = await load(Number(values.seconds))
    const cpu = ((await cpuOf(child)) - before) / result.requests.total
    return {
      perSecond: result['2xx'] / result.duration,
      p50: result.latency.p50,
      p99: result.latency.p99,
      failed: result.non2xx + result.errors,
      cpu,
    }
  } finally {
    child.removeAllListeners('exit')
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await gone
    await rm(folder, { recursive: true, force: true })
  }
}

async function cpuOf(child: ChildProcess): Promise<number> {
  const answer = new Promise<number>((resolve) => child.once('message', (used) => resolve(used as number)))
  child.send('cpu')
  return await answer
}

/** What a served process says to its parent: where it is, and what it used. */
function report(ready: { url: string; key: string }): void {
  process.send!(ready)
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send!(user + system)
  })
}

async function serveBare(): Promise<void> {
  const { default: Fastify } = await import('fastify')
  const { serializerCompiler, validatorCompiler } = await import('fastify-type-provider-zod')
  const app = Fastify()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  const body = z.strictObject({ agent: z.string(), input: z.unknown(), priority: z.enum(['high', 'normal', 'low']) })
  const answer = z.object({ id: z.string(), agent: z.string() })
  let count = 0
  app.post('/v1/tasks', { schema: { body, response: { 202: answer } } }, async (request, reply) => {
    const { agent } = request.body as z.infer<typeof body>
    return reply.code(202).send({ id: `task_${++count}`, agent })
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  report({ url, key: 'none' })
}

async function serveGateway(folder: string): Promise<void> {
  const { createInProcessBus } = await import('../src/bus/in-process.ts')
  const { createDesk } = await import('../src/desk/desk.ts')
  const { createGateway, ensureAdminKey, openSqliteGatewayStore } = await import('../src/gateway/index.ts')
  const { openFileBlobs } = await import('../src/journal/file-blobs.ts')
  const { openSqliteJournal } = await import('../src/journal/sqlite/index.ts')
  const journal = await openSqliteJournal({ folder })
  const bus = createInProcessBus()
  const store = openSqliteGatewayStore({ folder })
  const schema = z.object({ text: z.string(), page: z.int() })
  const echo = {
    name: 'echo',
    version: '1.0.0',
    description: 'Takes a text',
    inputSchema: {},
    outputSchema: {},
    checkInput: (input: unknown) => schema.parse(input),
    checkMessage: () => {},
  }
  const agents = { find: () => echo, require: () => echo, list: () => [echo] }
  const requestsPerSecond = { key: 1_000_000, tenant: 1_000_000 }
  const gateway = await createGateway({
    desk: createDesk({ journal, bus, agents }),
    journal,
    bus,
    agents,
    store,
    blobs: await openFileBlobs({ folder: join(folder, 'blobs') }),
    config: { requestsPerSecond, logLevel: 'warn' },
  })
  const { url } = await gateway.listen('127.0.0.1', 0)
  report({ url, key: await ensureAdminKey(folder, store) })
}
