// Tries a model in the expendable process (probe-child.ts) before it comes near the server. One at a time; a child that
// dies or takes too long is itself the verdict, and the next model gets a new one.
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { ProbeReport, ProbeRequest } from './probe-child.ts'

export interface Probe {
  /** Of the process that tries models now, if there is one. */
  readonly pid: number | undefined
  check(request: ProbeRequest): Promise<ProbeReport>
  close(): void
}

const CHILD = join(import.meta.dirname, 'probe-child.ts')

export function createProbe(options: { timeoutMs?: number; idleMs?: number } = {}): Probe {
  const { timeoutMs = 60_000, idleMs = 5_000 } = options
  let child: ChildProcess | undefined
  let last: Promise<unknown> = Promise.resolve()
  let idle: NodeJS.Timeout | undefined
  let closed = false

  function start(): ChildProcess {
    const started = fork(CHILD, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced' })
    started.once('exit', () => {
      if (child === started) child = undefined
    })
    return started
  }

  function ask(request: ProbeRequest): Promise<ProbeReport> {
    clearTimeout(idle)
    if (closed) return Promise.resolve(refusal('the worker is stopping'))
    child ??= start()
    const asked = child
    return new Promise((resolve) => {
      let complaint = ''
      const hear = (text: Buffer): void => {
        complaint = (complaint + text).slice(-500)
      }
      const end = (report: ProbeReport): void => {
        clearTimeout(timer)
        asked.off('message', end)
        asked.off('exit', died)
        asked.stderr?.off('data', hear)
        resolve(report)
      }
      const died = (code: number | null, signal: string | null): void =>
        end(refusal(`it killed the process that tried it (${signal ?? `exit ${code}`}) ${complaint.trim()}`.trim()))
      const timer = setTimeout(() => {
        end(refusal(`it was not ready within ${timeoutMs} ms`))
        if (child === asked) child = undefined
        asked.kill('SIGKILL')
      }, timeoutMs)
      asked.on('message', end)
      asked.on('exit', died)
      asked.stderr?.on('data', hear)
      asked.send(request, (error) => {
        if (error !== null) end(refusal(`the process that tries models is gone: ${error.message}`))
      })
    })
  }

  /** It ends by itself, and tries nothing more. */
  function letGo(): void {
    child?.disconnect()
    child = undefined
  }

  return {
    get pid() {
      return child?.pid
    },
    check(request) {
      const next = last.then(() => ask(request))
      last = next.then(() => {
        // Models are rarely deployed: no process is kept waiting for the next one.
        idle = setTimeout(letGo, idleMs)
        idle.unref()
      })
      return next
    },
    close() {
      closed = true
      clearTimeout(idle)
      child?.kill('SIGKILL')
    },
  }
}

function refusal(message: string): ProbeReport {
  return { ok: false, stage: 'load', error: { code: 'model_invalid', message } }
}
