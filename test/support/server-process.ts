// One server process of a test: found, started as a plain user, ended with the test even when the test is killed.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'

const EXTRA_FOLDERS = ['/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin', ...postgresFolders()]

/** The program's full path, looked for on the path and where packages put servers. */
export function findProgram(name: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...EXTRA_FOLDERS]) {
    const file = join(folder, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not here.
    }
  }
  return undefined
}

function postgresFolders(): string[] {
  const root = '/usr/lib/postgresql'
  try {
    const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a))
    return versions.map((version) => join(root, version, 'bin'))
  } catch {
    return []
  }
}

/** On Debian as root a missing server is installed; elsewhere the reason why not is returned. */
export function installPackage(name: string): string | undefined {
  if (findProgram('apt-get') === undefined) return `${name} is not installed`
  if (process.getuid?.() !== 0) return `${name} is not installed, and only root may install it`
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const lock = ['-o', 'DPkg::Lock::Timeout=300']
  try {
    execFileSync('apt-get', [...lock, 'update', '-qq'], { env, stdio: 'ignore' })
    execFileSync('apt-get', [...lock, 'install', '-y', '-qq', '--no-install-recommends', name], {
      env,
      stdio: 'ignore',
    })
    return undefined
  } catch (thrown) {
    return `apt-get could not install ${name}: ${thrown instanceof Error ? thrown.message.split('\n')[0] : thrown}`
  }
}

/** Servers refuse to run as root, or should: under root they run as nobody. */
export const PLAIN_USER = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}

export interface ServerProcess {
  pid: number
  /** Sends the signal and resolves when the process is gone. */
  end(signal: NodeJS.Signals): Promise<void>
}

export interface Launch {
  program: string
  args: string[]
  /** The server's own; removed when the test is killed. */
  folder: string
  /** A line of the server's output that says it serves. */
  ready: RegExp
  env?: Record<string, string>
}

const START_MS = 30_000

export async function launch({ program, args, folder, ready, env = {} }: Launch): Promise<ServerProcess> {
  const child = spawn(program, args, {
    cwd: folder,
    detached: true,
    env: { PATH: process.env.PATH, LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...PLAIN_USER,
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await untilReady(child, program, ready)
  const pid = child.pid!
  const watchdog = watch(pid, folder)
  child.unref()
  return {
    pid,
    async end(signal) {
      child.ref()
      child.kill(signal)
      // A stopped process hears no signal but this one.
      child.kill('SIGCONT')
      await gone
      // Only now: a test that dies while its server ends still has someone who ends it.
      watchdog.kill('SIGKILL')
    },
  }
}

async function untilReady(child: ChildProcess, program: string, ready: RegExp): Promise<void> {
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${program} ${why}:\n${output}`))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      fail(`did not serve within ${START_MS} ms`)
    }, START_MS)
    const settle = () => clearTimeout(timer)
    child.once('error', (error) => {
      settle()
      fail(error.message)
    })
    child.once('exit', (code) => {
      settle()
      fail(`ended with ${code}`)
    })
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8')
      stream.on('data', (text: string) => {
        // Read on after the start, or a full pipe would stop the server; kept only until then.
        if (output.length < 100_000) output += text
        if (ready.test(output)) {
          settle()
          resolve()
        }
      })
    }
  })
  // An open pipe keeps the test's process alive; the server must not.
  for (const stream of [child.stdout, child.stderr]) if (stream !== null && 'unref' in stream) Object(stream).unref()
}

/**
 * A shell that waits for the end of its input, which comes when this process ends in whatever way, and then ends the
 * server: SIGQUIT first, so that Postgres gives back its shared memory.
 */
function watch(pid: number, folder: string): ChildProcess {
  const script = `read -r _; kill -CONT ${pid}; kill -QUIT ${pid}; sleep 2; kill -KILL ${pid}; rm -rf "$1"`
  const watchdog = spawn('/bin/sh', ['-c', script, 'watchdog', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watchdog.unref()
  Object(watchdog.stdin).unref?.()
  return watchdog
}
