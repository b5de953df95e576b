// Real processes, real signals, the system's clock; what is waited for is always an event.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  type OutputLine,
  type ProcessSpec,
  processChild,
  type SupervisionEvent,
  type Supervisor,
  type SupervisorSpec,
  startSupervisor,
} from '../../src/supervision/index.ts'

const program = join(import.meta.dirname, 'processes', 'child.ts')
const parentProgram = join(import.meta.dirname, 'processes', 'parent.ts')

/** Each child process connects here: its order to end goes out on the connection, its death is the connection's end. */
class Lifelines {
  readonly #server = createServer((socket) => {
    socket.on('error', () => undefined)
    const next = this.#waiting.shift()
    if (next === undefined) this.#arrived.push(socket)
    else next(socket)
  })
  readonly #arrived: Socket[] = []
  readonly #waiting: ((socket: Socket) => void)[] = []

  static async open(context: TestContext): Promise<Lifelines> {
    const lifelines = new Lifelines()
    lifelines.#server.listen(0, '127.0.0.1')
    await once(lifelines.#server, 'listening')
    context.after(() => lifelines.#server.close())
    return lifelines
  }

  get port(): string {
    const address = this.#server.address()
    return String(typeof address === 'object' ? address?.port : '')
  }

  async next(): Promise<Socket> {
    return this.#arrived.shift() ?? (await new Promise((resolve) => this.#waiting.push(resolve)))
  }
}

class Watch {
  readonly events: SupervisionEvent[] = []
  readonly #waiting: { type: string; resolve: (event: SupervisionEvent) => void }[] = []

  readonly listener = (event: SupervisionEvent): void => {
    this.events.push(event)
    const place = this.#waiting.findIndex(({ type }) => type === event.type)
    if (place >= 0) this.#waiting.splice(place, 1)[0]?.resolve(event)
  }

  /** The next event of the type. */
  async for(type: SupervisionEvent['type']): Promise<SupervisionEvent> {
    return await new Promise((resolve) => this.#waiting.push({ type, resolve }))
  }
}

async function startTree(
  context: TestContext,
  child: Partial<ProcessSpec>,
  root: Partial<SupervisorSpec> = {},
): Promise<{ supervisor: Supervisor; watch: Watch }> {
  const watch = new Watch()
  const children = [processChild({ id: 'child', args: [program], ...child })]
  const supervisor = await startSupervisor({ id: 'root', children, ...root }, { listener: watch.listener })
  context.after(() => supervisor.stop('kill'))
  return { supervisor, watch }
}

test('a process is started, ready when its message comes, and shows its pid and facts in the tree', async (context) => {
  const { supervisor } = await startTree(context, {})
  const [node] = supervisor.tree().children ?? []
  assert.equal(node?.state, 'running')
  assert.equal(node?.facts?.version, '1.2.3')
  assert.ok(Number(node?.facts?.pid) > 1)
})

test('a line of output can be the sign of readiness', async (context) => {
  const { supervisor } = await startTree(context, { args: [program, 'speak'], ready: /listening on \d+/ })
  assert.equal(supervisor.countChildren().active, 1)
})

test('output arrives line by line with the child’s id and the stream, the unfinished last line too', async (context) => {
  const lines: OutputLine[] = []
  const output = (line: OutputLine): void => void lines.push(line)
  const { supervisor } = await startTree(context, { args: [program, 'speak'], ready: /listening/, output })
  await supervisor.stop()
  const said = lines.map(({ child, stream, text }) => `${child} ${stream}: ${text}`).toSorted()
  assert.deepEqual(said, [
    'child stderr: listening on 8080',
    'child stderr: unfinished',
    'child stdout: drained because asked',
    'child stdout: lines, and é split',
    'child stdout: two',
  ])
})

test('a line without an end is delivered in bounded pieces', async (context) => {
  const lines: string[] = []
  const args = ['-e', 'process.stdout.write("x".repeat(100_000) + "\\nend\\n"); setInterval(() => {}, 1e6)']
  await startTree(context, { args, ready: /end/, output: ({ text }) => void lines.push(text) })
  assert.ok(lines.every((line) => line.length <= 16_384))
  assert.equal(lines.join('').length, 100_003)
})

test('a process that ends before it is ready fails the start, and its last words say why', async (context) => {
  const starting = startTree(context, { args: [program, 'die-early'] })
  await assert.rejects(starting, { code: 'unavailable', message: /exited with code 1.*no such model: whale/ })
})

test('a process that is not ready in time is killed and fails the start', async (context) => {
  const lifelines = await Lifelines.open(context)
  const starting = startTree(context, { args: [program, 'silent', lifelines.port], readyTimeout: 1_500 })
  const refused = assert.rejects(starting, { message: /not ready within 1500 ms/ })
  const line = await lifelines.next()
  await Promise.all([once(line.resume(), 'close'), refused])
})

test('a program that does not exist fails the start with its name', async (context) => {
  const starting = startTree(context, { command: '/no/such/program', args: [] })
  await assert.rejects(starting, { message: /\/no\/such\/program/ })
})

test('an abort while the process becomes ready kills it', async (context) => {
  const lifelines = await Lifelines.open(context)
  const abort = new AbortController()
  const children = [processChild({ id: 'child', args: [program, 'silent', lifelines.port] })]
  const starting = startSupervisor({ id: 'root', children }, { signal: abort.signal })
  const refused = assert.rejects(starting, { code: 'draining' })
  const line = await lifelines.next()
  abort.abort()
  await Promise.all([once(line.resume(), 'close'), refused])
})

for (const order of ['SIGKILL', '1', 'throw']) {
  test(`a process that ends by ${order} has crashed and is started again`, async (context) => {
    const lifelines = await Lifelines.open(context)
    const { supervisor, watch } = await startTree(context, { args: [program, 'serve', lifelines.port] })
    const before = supervisor.tree().children?.[0]?.facts
    const crashed = watch.for('child_crashed')
    const again = watch.for('child_started')
    const line = await lifelines.next()
    line.write(order)
    const event = await crashed
    // Who listens can tell from the facts which process it was, and act for it.
    assert.deepEqual(event.type === 'child_crashed' && event.facts, before)
    await again
    assert.notEqual(supervisor.tree().children?.[0]?.facts?.pid, before?.pid)
  })
}

for (const order of ['75', 'SIGTERM'] as const) {
  test(`P8: a process that ends by ${order} has drained: it is started again, and no budget is spent`, async (context) => {
    const lifelines = await Lifelines.open(context)
    const { watch } = await startTree(context, { args: [program, 'serve', lifelines.port] }, { intensity: 0 })
    const ended = watch.for('child_ended')
    const again = watch.for('child_started')
    const line = await lifelines.next()
    line.write(order)
    const event = await ended
    assert.equal(event.type === 'child_ended' && event.outcome.kind, 'drained')
    await again
  })
}

test('a process that ends with code 0 has finished', async (context) => {
  const watch = new Watch()
  const ended = watch.for('child_ended')
  const children = [processChild({ id: 'child', args: [program, 'finish'], restart: 'transient' })]
  const supervisor = await startSupervisor({ id: 'root', children }, { listener: watch.listener })
  context.after(() => supervisor.stop('kill'))
  const event = await ended
  assert.equal(event.type === 'child_ended' && event.outcome.kind, 'normal')
})

test('a process is asked with SIGTERM first, and drains', async (context) => {
  const lines: string[] = []
  const { supervisor, watch } = await startTree(context, { output: ({ text }) => void lines.push(text) })
  await supervisor.stop('drain')
  const stopped = watch.events.find((event) => event.type === 'child_stopped')
  assert.deepEqual(stopped?.type === 'child_stopped' && [stopped.outcome, stopped.forced], [{ kind: 'drained' }, false])
  assert.deepEqual(lines, ['drained because asked'])
})

test('a process that does not stop in time gets SIGKILL', async (context) => {
  const { supervisor, watch } = await startTree(context, { args: [program, 'stubborn'], shutdown: 200 })
  await supervisor.stop()
  const stopped = watch.events.find((event) => event.type === 'child_stopped')
  assert.equal(stopped?.type === 'child_stopped' && stopped.forced, true)
})

test('a drain that fails is a crash, and says why', async (context) => {
  const { supervisor, watch } = await startTree(context, { args: [program, 'broken-drain'] })
  await supervisor.stop()
  const stopped = watch.events.find((event) => event.type === 'child_stopped')
  const { outcome } = stopped?.type === 'child_stopped' ? stopped : {}
  assert.match(outcome?.kind === 'crashed' ? outcome.error.message : '', /exited with code 1.*cannot let go/)
})

for (const behaviour of ['serve', 'stubborn'] as const) {
  test(`a parent that is killed takes its children with it (${behaviour})`, async (context) => {
    const lifelines = await Lifelines.open(context)
    const parent = spawn(process.execPath, [parentProgram, behaviour, lifelines.port], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    context.after(() => parent.kill('SIGKILL'))
    const line = await lifelines.next()
    await once(parent.stdout, 'data')
    parent.kill('SIGKILL')
    await once(line.resume(), 'close')
  })
}

test('a process that hangs is killed and started again, and the tree says why', async (context) => {
  const lifelines = await Lifelines.open(context)
  const { supervisor, watch } = await startTree(context, {
    args: [program, 'serve', lifelines.port],
    answerWithin: 800,
  })
  const before = supervisor.tree().children?.[0]?.facts
  const crashed = watch.for('child_crashed')
  const again = watch.for('child_started')
  const line = await lifelines.next()
  const dead = once(line.resume(), 'close')
  process.kill(Number(before?.pid), 'SIGSTOP')
  const event = await crashed
  assert.deepEqual(event.type === 'child_crashed' && event.facts, before)
  await Promise.all([dead, again])
  const [node] = supervisor.tree().children ?? []
  assert.notEqual(node?.facts?.pid, before?.pid)
  assert.equal(node?.restarts, 1)
  assert.equal(node?.lastError, 'root/child did not answer for 0.8 s and was killed')
})

test('a process that is busy for less than it may is left alone', async (context) => {
  const lifelines = await Lifelines.open(context)
  const { supervisor, watch } = await startTree(context, {
    args: [program, 'serve', lifelines.port],
    answerWithin: 2_000,
  })
  const line = await lifelines.next()
  const answered = once(line, 'data', { signal: AbortSignal.timeout(20_000) })
  line.write('block')
  // Its process id comes first, the end of its block next.
  await answered
  await once(line, 'data', { signal: AbortSignal.timeout(20_000) })
  assert.deepEqual(
    watch.events.filter(({ type }) => type === 'child_crashed'),
    [],
  )
  assert.equal(supervisor.tree().children?.[0]?.restarts, 0)
})

test('what a killed process had started itself goes with it', async (context) => {
  const lifelines = await Lifelines.open(context)
  const grandchild = `require('node:net').connect(${lifelines.port}, '127.0.0.1')`
  const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}]); setInterval(() => {}, 1e6)`
  const { supervisor } = await startTree(context, { args: ['-e', script], ready: 'spawn' })
  const line = await lifelines.next()
  const closed = once(line.resume(), 'close')
  await supervisor.stop('kill')
  await closed
})
