// A host's own network stack: a network namespace with one cable (a veth pair) to each server, so that the kernel, and
// not a program in between, decides what arrives. A pulled cable loses packets in both directions and tells nobody; put
// back, open connections go on and deliver late what was sent meanwhile, which no proxy can do.
//
// Needs root and `ip` and `nsenter`. Packets are not dropped by rules: `tc` needs a kernel with act_gact, iptables and nft
// are rarely there, and an interface that is down is in every kernel that has namespaces.
import { execFileSync, spawn } from 'node:child_process'
import { findProgram } from '../support/server-process.ts'

export interface Cable {
  /** Where this machine is reached from inside. */
  address: string
  pull(): void
  plug(): void
}

export interface Namespace {
  name: string
  /** The same program, run inside. Its process id stays its own. */
  inside(program: string, args: string[]): { command: string; args: string[] }
  cables: Cable[]
  close(): void
}

const PROGRAMS = ['ip', 'nsenter']
/** For tests between networks (RFC 2544), so nobody's; cut into networks of four addresses, one a cable. */
const NETWORKS = 2 ** 15
let made = 0

/** Why there are none here; false: there are. Tried, because what is allowed depends on more than the user. */
export function namespacesRefused(): string | false {
  if (process.platform !== 'linux') return `${process.platform} has no network namespaces`
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  const absent = PROGRAMS.find((program) => findProgram(program) === undefined)
  if (absent !== undefined) return `the program ${absent} is not installed`
  try {
    const namespace = openNamespace(1)
    try {
      const { command, args } = namespace.inside(process.execPath, ['--version'])
      execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    } finally {
      namespace.close()
    }
    return false
  } catch (error) {
    return `the kernel refuses: ${(error as Error).message.trim().split('\n').at(-1)}`
  }
}

export function openNamespace(cables: number): Namespace {
  const number = made++
  const name = `troupe-${process.pid}-${number}`
  // An interface's name has at most 15 characters.
  const ends = Array.from({ length: cables }, (_, index) => `tr${process.pid}-${number}${'abcdefgh'[index]}`)
  const remove = [...ends.map((end) => `ip link del ${end}`), `ip netns del ${name}`].join('; ')
  const endWatch = removeWhenKilled(remove)
  try {
    ip(['netns', 'add', name])
    ip(['-n', name, 'link', 'set', 'lo', 'up'])
    return {
      name,
      inside: (program, args) => ({
        command: findProgram('nsenter') ?? 'nsenter',
        args: [`--net=/run/netns/${name}`, '--', program, ...args],
      }),
      cables: ends.map((end, index) => lay(name, end, `link${index}`, process.pid * 64 + number * 8 + index)),
      close() {
        execFileSync('/bin/sh', ['-c', remove], { stdio: 'ignore' })
        endWatch()
      },
    }
  } catch (error) {
    try {
      execFileSync('/bin/sh', ['-c', remove], { stdio: 'ignore' })
    } catch {
      // What was not made cannot be removed.
    }
    endWatch()
    throw error
  }
}

function lay(namespace: string, outer: string, inner: string, place: number): Cable {
  const base = (place % NETWORKS) * 4
  const address = (last: number) => `198.${18 + (base >> 16)}.${(base >> 8) & 255}.${(base & 255) + last}`
  ip(['link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', namespace])
  ip(['addr', 'add', `${address(1)}/30`, 'dev', outer])
  ip(['-n', namespace, 'addr', 'add', `${address(2)}/30`, 'dev', inner])
  ip(['-n', namespace, 'link', 'set', inner, 'up'])
  ip(['link', 'set', outer, 'up'])
  return {
    address: address(1),
    // The far end stays up and keeps its routes: whoever sends there hears no error, and no answer.
    pull: () => ip(['link', 'set', outer, 'down']),
    plug: () => ip(['link', 'set', outer, 'up']),
  }
}

function ip(args: string[]): void {
  execFileSync(findProgram('ip') ?? 'ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** A shell that waits for the end of its input, which comes when this process ends in whatever way. */
function removeWhenKilled(remove: string): () => void {
  const watchdog = spawn('/bin/sh', ['-c', `read -r _; ${remove}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watchdog.unref()
  Object(watchdog.stdin).unref?.()
  return () => watchdog.kill('SIGKILL')
}
