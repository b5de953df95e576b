// A whole embedded installation as `troupe up` starts it: real processes, a data folder of its own, free ports.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')
const COMMAND = join(ROOT, 'src', 'cli', 'troupe.ts')

export interface Ran {
  code: number
  out: string
  err: string
}

export interface Installation {
  url: string
  key: string
  data: string
  root: ChildProcess
  /** What the root has written to stderr so far. */
  said(): string
  /** Resolves when a line of stderr matches, also one of the past. */
  saying(pattern: RegExp): Promise<void>
  /** The command, pointed at this installation. */
  troupe(args: string[], input?: string): Promise<Ran>
  /** GET or POST as the admin. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<any>
  child(id: string): Promise<Child>
  stop(): Promise<number>
}

export interface Child {
  state: string
  restarts: number
  facts: { pid: number; host?: string }
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-boot-'))
  // Whoever removes it earlier may; nothing of a test outlives its process.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export async function startInstallation(
  options: { data?: string; args?: string[]; env?: Record<string, string> } = {},
): Promise<Installation> {
  const data = options.data ?? temporaryFolder()
  const env = { ...process.env, NO_COLOR: '1', ...options.env }
  const args = [COMMAND, '--json', '--data', data, 'up', '--port', '0', ...(options.args ?? [])]
  const root = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  // A test that is killed must not leave an installation behind.
  const onExit = () => root.kill('SIGKILL')
  process.once('exit', onExit)
  let err = ''
  const listeners = new Set<() => void>()
  root.stderr.setEncoding('utf8').on('data', (piece: string) => {
    err += piece
    for (const listener of listeners) listener()
  })
  const gone = once(root, 'exit')
  const first = once(root.stdout.setEncoding('utf8'), 'data') as Promise<[string]>
  const started = await Promise.race([first, gone.then(() => undefined)])
  if (started === undefined) throw new Error(`troupe up did not start:\n${err}`)
  const { url } = JSON.parse(started[0]) as { url: string }
  const key = readFileSync(join(data, 'admin.key'), 'utf8').trim()

  const call: Installation['call'] = async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return await response.json()
  }

  return {
    url,
    key,
    data,
    root,
    call,
    said: () => err,
    saying(pattern) {
      return new Promise((resolve) => {
        const look = () => {
          if (!pattern.test(err)) return
          listeners.delete(look)
          resolve()
        }
        listeners.add(look)
        look()
      })
    },
    troupe: (args, input) => runTroupe(['--data', data, ...args], input === undefined ? {} : { input }),
    async child(id) {
      const { tree } = await call('GET', '/v1/supervision')
      return tree.children.find((child: { id: string }) => child.id === id)
    },
    async stop() {
      process.off('exit', onExit)
      if (root.exitCode === null && root.signalCode === null) root.kill('SIGTERM')
      const [code] = (await gone) as [number | null]
      if (options.data === undefined) rmSync(data, { recursive: true, force: true })
      return code ?? -1
    },
  }
}

export async function runTroupe(
  args: string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  const env = { ...process.env, NO_COLOR: '1', ...options.env }
  const child = spawn(process.execPath, [COMMAND, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  const ran = { code: -1, out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    ran.out += piece
  })
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    ran.err += piece
  })
  child.stdin.end(options.input ?? '')
  const [code] = (await once(child, 'close')) as [number | null]
  ran.code = code ?? -1
  return ran
}

/** Is there a process of this id? */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Resolves when the process is gone. Its end is nobody's event here: it is not our child. */
export async function gone(pid: number): Promise<void> {
  while (lives(pid)) await new Promise((resolve) => setTimeout(resolve, 20))
}
