// An operating-system process as a child: started, gated until it is ready, asked with SIGTERM, killed with SIGKILL.
// It leads a process group of its own. So Ctrl-C in a terminal reaches only the root, which stops its children in
// order; and a kill takes what the process itself has started along.
import { type ChildProcess, spawn } from 'node:child_process'
import { TroupeError } from '../contract/errors.ts'
import { watchBelow } from './below.ts'
import { EXIT_DRAINED, PING, readyFacts } from './child-side.ts'
import type { ChildHandle, ChildSpec, Facts, Outcome, StartContext, StopReason } from './child-spec.ts'
import { type Clock, settledWithin } from './clock.ts'
import { type Liveness, watchLiveness } from './liveness.ts'
import { LastWords, type OutputLine, readLines } from './process-output.ts'

export interface ProcessSpec extends Omit<ChildSpec, 'start' | 'type'> {
  /** Default: the Node that runs this. */
  command?: string
  args: string[]
  cwd?: string
  /** The whole environment of the process. Default: this process's own. */
  env?: Record<string, string | undefined>
  /**
   * When is it ready? `message`: when it says so over its IPC channel (child-side.ts; the default). A pattern: when a
   * line of its output matches. `spawn`: as soon as it runs.
   */
  ready?: 'message' | 'spawn' | RegExp
  /** Milliseconds to become ready in; then it is killed and its start has failed. Default 30,000. */
  readyTimeout?: number
  output?: (line: OutputLine) => void
  /**
   * Milliseconds that it may go without an answer once it is ready (child-side.ts answers); then it hangs: it is killed,
   * and has crashed. Longer than anything that may hold its event loop. Default 0: it is never asked.
   */
  answerWithin?: number
  /**
   * Given each new process before it is ready. Its descriptor 3 (`child.stdio[3]`) is then a plain pipe instead of Node's
   * channel, for whoever does not trust what comes out of it. `ready` cannot be `message`.
   */
  attach?: (child: ChildProcess) => void
}

interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** How long the pipes of a process may take to deliver what it wrote before it ended. */
const LAST_OUTPUT = 250

export function processChild(spec: ProcessSpec): ChildSpec {
  const { command, args, cwd, env, ready, readyTimeout, output, answerWithin, attach, ...child } = spec
  return { ...child, type: 'worker', start: (context) => startProcess(spec, context) }
}

async function startProcess(spec: ProcessSpec, context: StartContext): Promise<ChildHandle> {
  const { clock, path, signal } = context
  signal.throwIfAborted()
  const child = spawn(spec.command ?? process.execPath, spec.args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', spec.attach === undefined ? 'ipc' : 'pipe'],
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    ...(spec.env === undefined ? {} : { env: spec.env }),
  })
  spec.attach?.(child)
  const below = spec.attach === undefined ? watchBelow(child, clock) : undefined
  const lastWords = new LastWords()
  const gone = exitOf(child, clock)
  const ready = readiness(child, spec, lastWords)
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  const goneTooSoon = gone.then((exit): never => {
    throw new TroupeError('unavailable', `it ${describe(exit)} before it was ready${lastWords}`)
  })
  let facts: Facts | undefined
  try {
    const limit = spec.readyTimeout ?? 30_000
    facts = await settledWithin(Promise.race([ready, goneTooSoon, aborted]), limit, clock)
    if (facts === undefined) {
      throw new TroupeError('unavailable', `it was not ready within ${limit} ms${lastWords}`)
    }
  } catch (thrown) {
    killGroup(child)
    // Gone for certain before anyone starts its successor; a program that could not be spawned is gone already.
    await gone.catch(() => undefined)
    throw thrown
  } finally {
    aborted.catch(() => undefined)
    goneTooSoon.catch(() => undefined)
  }

  let asked: StopReason | undefined
  let hung = false
  const allowance = spec.answerWithin ?? 0
  const liveness = watchAnswers(child, allowance, clock, () => {
    hung = true
    killGroup(child)
  })
  return {
    exited: gone.then((exit) => {
      liveness?.stop()
      return hung ? hangOutcome(path, allowance) : processOutcome(path, exit, asked, lastWords)
    }),
    stop(reason) {
      asked = reason
      // Whether it stops in time is its supervisor's business now.
      liveness?.stop()
      if (reason === 'kill') killGroup(child)
      else child.kill('SIGTERM')
    },
    facts: () => ({ pid: child.pid ?? 0, ...facts }),
    ...(below === undefined
      ? {}
      : {
          below: () => below.nodes(path),
          async restartAt([id, ...rest]) {
            if (id === undefined || rest.length > 0) throw new TroupeError('not_found', `${path} has no such child`)
            await below.restart(id)
          },
        }),
  }
}

/** Resolves when the process is gone and its output is read. Rejects when there never was one. */
async function exitOf(child: ChildProcess, clock: StartContext['clock']): Promise<Exit> {
  const closed = new Promise<true>((resolve) => child.once('close', () => resolve(true)))
  const exit = await new Promise<Exit>((resolve, reject) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', (error) => {
      if (child.pid === undefined) reject(new TroupeError('unavailable', `it cannot be run: ${error.message}`))
    })
  })
  // What it started itself has lost its parent now, and would hold its ports against the successor.
  killGroup(child)
  await settledWithin(closed, LAST_OUTPUT, clock)
  return exit
}

function readiness(child: ChildProcess, spec: ProcessSpec, lastWords: LastWords): Promise<Facts> {
  const { promise, resolve } = Promise.withResolvers<Facts>()
  const { ready = 'message' } = spec
  for (const stream of ['stdout', 'stderr'] as const) {
    const source = child[stream]
    if (source === null) continue
    readLines(source, (text) => {
      if (stream === 'stderr') lastWords.hear(text)
      spec.output?.({ child: spec.id, stream, text })
      if (ready instanceof RegExp && ready.test(text)) resolve({})
    })
  }
  if (ready === 'spawn') child.once('spawn', () => resolve({}))
  if (ready === 'message') {
    child.on('message', (message) => {
      const facts = readyFacts(message)
      if (facts !== undefined) resolve(facts)
    })
  }
  return promise
}

function watchAnswers(
  child: ChildProcess,
  allowance: number,
  clock: Clock,
  onSilent: () => void,
): Liveness | undefined {
  if (allowance === 0) return undefined
  // A channel that breaks is told by the process's exit.
  const ask = (): void => void (child.connected && child.send(PING, () => undefined))
  const liveness = watchLiveness({ clock, allowance, ask, onSilent })
  // Whatever it says, it is alive.
  child.on('message', liveness.heard)
  return liveness
}

function hangOutcome(path: string, allowance: number): Outcome {
  const message = `${path} did not answer for ${allowance / 1_000} s and was killed`
  return { kind: 'crashed', error: new TroupeError('unavailable', message) }
}

/** What the end of a process means. A process killed on our order did not crash. */
function processOutcome(path: string, exit: Exit, asked: StopReason | undefined, lastWords: LastWords): Outcome {
  if (asked === 'kill') return { kind: 'shutdown' }
  // 128 + n is how shells and container inits report a signal.
  const told = exit.signal === 'SIGTERM' || exit.signal === 'SIGINT' || exit.code === 143 || exit.code === 130
  if (exit.code === EXIT_DRAINED || told || exit.code === 0) {
    if (asked !== undefined) return { kind: asked === 'drain' ? 'drained' : 'shutdown' }
    return exit.code === 0 ? { kind: 'normal' } : { kind: 'drained' }
  }
  return { kind: 'crashed', error: new TroupeError('unavailable', `${path} ${describe(exit)}${lastWords}`) }
}

function describe({ code, signal }: Exit): string {
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Nobody of the group is left.
  }
}
