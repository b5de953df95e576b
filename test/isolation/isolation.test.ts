// What an isolated plug-in can do and cannot, in a whole installation: real processes, real refusals.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Installation, runTroupe, startInstallation, temporaryFolder } from '../boot/installation.ts'
import { type Receiver, startReceiver } from '../webhooks/receiver.ts'
import { writePlugin } from './plugins.ts'

const HOSTILE = `
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync, writeSync } from 'node:fs'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'

const peeks = defineTool({ name: 'peeks', description: 'Reads', input: z.any(), output: z.any(), run: async () => readFileSync('/etc/passwd', 'utf8') })
const nothing = defineTool({ name: 'nothing', description: 'Does nothing', input: z.any(), output: z.any(), run: async () => null })

export default [
  agent('reads', (ctx) => ctx.step('s', () => readFileSync(ctx.input.path, 'utf8'))),
  agent('writes', (ctx) => ctx.step('s', () => writeFileSync(ctx.input.path, 'x'))),
  agent('spawns', (ctx) => ctx.step('s', () => String(execFileSync('/bin/id')))),
  agent('threads', (ctx) => ctx.step('s', () => String(new Worker('0', { eval: true })))),
  agent('binds', (ctx) => ctx.step('s', () => Object.keys((process as any).binding('tcp_wrap')))),
  agent('fetches', (ctx) => ctx.step('s', async () => (await fetch(ctx.input.url)).status)),
  agent('connects', (ctx) => ctx.step('s', () => new Promise((resolve, reject) => {
    connect(ctx.input.port, '127.0.0.1').once('connect', resolve).once('error', reject)
  }))),
  agent('looks-around', (ctx) => ctx.step('s', () => Object.keys(process.env).sort())),
  agent('calls-behind', (ctx) => ctx.step('s', async (step: any) => [
    await nothing.call({}, { signal: step.signal }),
    await peeks.call({}, { signal: step.signal }).catch((error: any) => JSON.stringify(error) + error.message + error.cause?.message),
  ])),
  agent('calls-tool', (ctx) => ctx.step('s', (step: any) => step.tool(nothing, {}))),
  agent('tampers', (ctx) => ctx.step('s', async (step: any) => {
    // Whatever this process holds true of its permissions: it holds everything true.
    const { includes } = Array.prototype
    Array.prototype.includes = () => true
    try {
      return await step.tool(nothing, {})
    } finally {
      Array.prototype.includes = includes
    }
  })),
  agent('opens-document', (ctx) => ctx.step('s', (step: any) => step.documents.info('doc_1'))),
  agent('asks', (ctx) => ctx.ask('a', 'document-analyzer', { document: { text: 'Hello' } })),
  agent('floods', (ctx) => ctx.step('s', () => 'x'.repeat(50_000_000))),
  agent('counts', () => 10n),
  agent('pollutes', (ctx) => ctx.step('s', () => {
    (Object.prototype as any).polluted = true
    return {}
  })),
  agent('reaches-out', (ctx) => ctx.step('s', () => new Promise((resolve) => {
    const parse = JSON.parse
    JSON.parse = (text: string, revive: any) => {
      const message = parse(text, revive)
      if (message?.troupe?.id === 1e9) resolve(message.troupe)
      return message
    }
    const { verb, args } = ctx.input
    const body = Buffer.from(JSON.stringify({ troupe: { kind: 'call', id: 1e9, verb, args } }))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(body.length)
    writeSync(3, Buffer.concat([length, body]))
  }))),
]
`

const SUICIDAL = `
export default [
  agent('exits', (ctx) => ctx.step('s', () => process.exit(0))),
  agent('loops', (ctx) => ctx.step('s', () => { for (;;); })),
]
`

const HONEST = `
import { appendFileSync } from 'node:fs'

const run = async (ctx: any) => {
  const done: number[] = []
  for (const n of [1, 2, 3]) {
    done.push(await ctx.step('step-' + n, async () => {
      appendFileSync(ctx.input.log, n + ' ' + process.pid + '\\n')
      await new Promise((resolve) => setTimeout(resolve, 400))
      return n
    }))
  }
  return done
}
const input = z.object({ log: z.string() })

export default defineAgent({ name: 'careful', version: '1.0.0', description: 'A test', input, output: z.any(), run })
`

describe('an isolated plug-in', () => {
  const data = temporaryFolder()
  const packages = temporaryFolder()
  const log = join(packages, 'log')
  let troupe: Installation
  let receiver: Receiver

  const add = async (folder: string) => {
    const ran = await runTroupe(['--data', data, 'plugin', 'add', folder])
    assert.equal(ran.code, 0, ran.err)
  }
  const start = async (agent: string, input: unknown): Promise<string> =>
    (await troupe.call('POST', '/v1/tasks', { agent, input })).id
  const ended = async (id: string, patienceMs = 60_000) => {
    for (const since = Date.now(); ; ) {
      const task = await troupe.call('GET', `/v1/tasks/${id}`)
      if (task.endedAt !== undefined) return task
      assert.ok(Date.now() - since < patienceMs, `${id} is ${task.state}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const run = async (agent: string, input: unknown = {}) => await ended(await start(agent, input))

  before(async () => {
    writeFileSync(log, '')
    await add(writePlugin(packages, 'hostile', HOSTILE))
    await add(writePlugin(packages, 'suicidal', SUICIDAL))
    const files = { files: { read: [], write: [log] } }
    await add(writePlugin(packages, 'honest', HONEST, { troupe: { permissions: files } }))
    receiver = await startReceiver()
    const policy = join(packages, 'policy.json')
    writeFileSync(policy, JSON.stringify({ webhooks: { private: [receiver.url] } }))
    troupe = await startInstallation({ data, env: { TROUPE_POLICY: policy } })
  })
  after(async () => {
    await receiver?.[Symbol.asyncDispose]()
    assert.equal(await troupe?.stop(), 0)
  })

  const refused: [what: string, agent: string, input: unknown, why: RegExp][] = [
    [
      'reads a file outside its package',
      'reads',
      { path: '/etc/passwd' },
      /permission_denied.*passwd is not declared in .*permissions\.files\.read/,
    ],
    ['reads the admin key', 'reads', { path: join(data, 'admin.key') }, /permission_denied.*files\.read/],
    ['writes a file', 'writes', { path: join(packages, 'written') }, /permission_denied.*files\.write/],
    ['starts a program', 'spawns', {}, /permission_denied.*ChildProcess.*may not do this/],
    ['starts a thread', 'threads', {}, /permission_denied.*WorkerThreads.*may not do this/],
    ['asks Node for what is beneath', 'binds', {}, /not a function/],
    ['calls a tool that it did not declare', 'calls-tool', {}, /nothing is not named/],
    ['calls it after having changed its own process', 'tampers', {}, /nothing is not named/],
    ['opens a document without the permission', 'opens-document', {}, /does not name it under permissions.services/],
    [
      'asks an agent that it did not declare',
      'asks',
      {},
      /permission_denied.*\\"agents\\": \[\\"document-analyzer\\"\]/,
    ],
    ['returns more than a value may be', 'floods', {}, /large|bytes|limit/i],
    ['returns what is no JSON', 'counts', {}, /cannot be written as JSON/],
  ]
  for (const [what, agent, input, why] of refused) {
    test(`fails when it ${what}, and says so`, async () => {
      const task = await run(agent, input)
      assert.equal(task.state, 'failed', JSON.stringify(task))
      assert.match(JSON.stringify(task.error), why)
    })
  }

  // What docs/guides/security.md says of tools: their names stop an honest author, the process stops everyone.
  test('that calls its tool behind the context’s back runs it, with no more rights than its process', async () => {
    const { state, output, error } = await run('calls-behind')
    assert.equal(state, 'completed', JSON.stringify(error))
    assert.equal(output[0], null)
    assert.match(output[1], /restricted|ERR_ACCESS_DENIED/)
  })

  test('cannot connect anywhere', async (t) => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    let heard = 0
    server.on('connection', () => {
      heard += 1
    })
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    for (const agent of ['connects', 'fetches']) {
      const task = await run(agent, { port, url: `http://127.0.0.1:${port}/` })
      assert.equal(task.state, 'failed', JSON.stringify(task))
      assert.match(JSON.stringify(task.error), /permission_denied.*permissions\.network/)
    }
    assert.equal(heard, 0)
  })

  test('finds nothing in its environment', async () => {
    const { output } = await run('looks-around')
    assert.deepEqual(
      (output as string[]).filter((name) => /key|token|secret|url|data/i.test(name)),
      [],
    )
  })

  test('cannot read or change the task of another agent, nor end its host’s lease', async () => {
    const victim = await start('document-analyzer', { document: { text: 'Hello Ada.' } })
    const loaded = await run('reaches-out', { verb: 'load', args: [victim] })
    assert.equal(loaded.output.value, undefined)
    const commit = { taskId: victim, epoch: 1, version: 1, release: true, state: 'failed', events: [] }
    const changed = await run('reaches-out', { verb: 'commit', args: [commit] })
    assert.equal(changed.output.error.code, 'permission_denied')
    const listed = await run('reaches-out', { verb: 'list', args: [{}] })
    assert.equal(listed.output.error.code, 'permission_denied')
    const { host } = (await troupe.child('core')).facts
    assert.match(String(host), /^host_/)
    await run('reaches-out', { verb: 'endLease', args: [host] })
    // A host whose lease has ended claims nothing under its name.
    const { id } = await run('document-analyzer', { document: { text: 'Hello again.' } })
    const { events } = await troupe.call('GET', `/v1/tasks/${id}/events`)
    assert.equal(events.find(({ type }: { type: string }) => type === 'task.started').host, host)
    assert.equal((await ended(victim)).state, 'completed')
  })

  test('does not see who is told of its tasks, who are told all the same, also when it fails', async () => {
    const callback = { url: receiver.url }
    const { id } = await troupe.call('POST', '/v1/tasks', { agent: 'looks-around', input: {}, callback })
    const broken = await troupe.call('POST', '/v1/tasks', { agent: 'spawns', input: {}, callback })
    await receiver.count(2)
    const told = Object.fromEntries(receiver.received.map(({ body }) => [body.data.id, body.type]))
    assert.deepEqual(told, { [id]: 'task.completed', [broken.id]: 'task.failed' })
    const { output } = await run('reaches-out', { verb: 'load', args: [id] })
    assert.equal(output.value.task.id, id, JSON.stringify(output))
    assert.ok(!JSON.stringify(output).includes('callbacks') && !JSON.stringify(output).includes(receiver.url))
    // It has no way to keep them from it: nor to send such news itself.
    const child = { id: `${id.slice(0, 15)}${'0'.repeat(16)}`, tenant: 'default', agent: 'webhook', depth: 1 }
    const commit = {
      taskId: broken.id,
      epoch: 1,
      version: 9,
      release: true,
      state: 'failed',
      events: [],
      children: [child],
    }
    const forged = await run('reaches-out', { verb: 'commit', args: [commit] })
    assert.equal(forged.output.error.code, 'permission_denied')
  })

  test('pollutes nobody but itself', async () => {
    assert.equal((await run('pollutes')).state, 'completed')
    const task = await run('document-analyzer', { document: { text: 'Hello Ada.' } })
    assert.equal(task.state, 'completed')
    assert.ok(!JSON.stringify(task).includes('polluted'))
  })

  test('killed in the middle of a step: its task goes on in its successor, what was recorded is not done again', async () => {
    const id = await start('careful', { log })
    while (!readFileSync(log, 'utf8').includes('2 ')) await new Promise((resolve) => setTimeout(resolve, 10))
    const pid = Number(readFileSync(log, 'utf8').trim().split('\n').at(-1)!.split(' ')[1])
    process.kill(pid, 'SIGKILL')
    const task = await ended(id)
    assert.deepEqual(task.output, [1, 2, 3])
    const steps = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0])
    assert.deepEqual(steps, ['1', '2', '2', '3'])
    const { events } = await troupe.call('GET', `/v1/tasks/${id}/events`)
    assert.deepEqual(
      events.map(({ number }: { number: number }) => number),
      events.map((_: unknown, index: number) => index + 1),
    )
  })

  test('that ends its process or never lets go of it is quarantined; other tasks do not notice', async () => {
    const [exits, loops] = [await start('exits', {}), await start('loops', {})]
    const other = await run('document-analyzer', { document: { text: 'Hello Ada.' } })
    assert.equal(other.state, 'completed')
    assert.equal((await ended(exits, 120_000)).error.code, 'task_poisoned')
    // Its author learns nowhere else how it ended.
    assert.match(troupe.said(), /An isolated plug-in ended its own process\. plugin=suicidal/)
    assert.equal((await ended(loops, 120_000)).error.code, 'task_poisoned')
    assert.match(troupe.said(), /An isolated plug-in ended\. \(.* was ended by SIGKILL.*plugin=honest/)
  })

  test('is checked at the door by its schemas', async () => {
    const { agents } = await troupe.call('GET', '/v1/agents')
    assert.ok(agents.some(({ name }: { name: string }) => name === 'careful'))
    const refused = await troupe.call('POST', '/v1/tasks', { agent: 'careful', input: {} })
    assert.equal(refused.code, 'invalid_input')
  })
})
