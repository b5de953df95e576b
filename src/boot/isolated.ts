// Starts the processes of isolated plug-ins below a host, each supervised and guarded. One that cannot start or dies
// again and again is tried again, more and more slowly; the host itself never notices.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'
import { type Channel, createGuard, launchOf, wireOver } from '../isolation/index.ts'
import { type AgentPackage, type AgentRecord, agentRecords, NO_PERMISSIONS } from '../plugins/index.ts'
import { processChild, type Supervisor, startSupervisor } from '../supervision/index.ts'
import type { Parts } from './parts.ts'
import { createServices } from './services.ts'

/** What the process is told. */
export interface PluginOrders {
  package: AgentPackage
  tools: string[]
  /** Agents of others that its tasks may ask. */
  askable: AgentRecord[]
  graceMs: number
  /** Only say which agents there are. */
  describe: boolean
}

export interface IsolatedPlugin {
  package: AgentPackage
  agents: AgentRecord[]
}

const ENTRY = join(import.meta.dirname, 'plugin.ts')
/** Twice its lease: whoever has not renewed for so long is stuck in its own code. */
const SILENT_MS = 6_000
const LOOK_MS = 1_000
/** What runProcess prints where no channel of Node's is. */
const READY = /^host host_/
const START_AGAIN_MS = 30_000
const DESCRIBE_MS = 30_000
/** Died often and at once: from the first to the longest wait before it is started again. */
const BACKOFF = { immediate: 1, first: 200, factor: 2, max: 30_000, jitter: 0.3 }

export function startIsolated(parts: Parts, label: string): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const closing = new Set<Promise<void>>()
  const running = parts.isolated.map((plugin) => keepRunning(parts, plugin, label, stopping.signal, closing))
  return {
    async stop() {
      stopping.abort()
      await Promise.all(running)
      // The guards still end leases: the journal must stay open for them.
      await Promise.all(closing)
    },
  }
}

async function keepRunning(
  parts: Parts,
  plugin: IsolatedPlugin,
  label: string,
  signal: AbortSignal,
  closing: Set<Promise<void>>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const supervisor = await startOne(parts, plugin, label, closing)
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      await supervisor.stop()
    } catch (error) {
      parts.log.error({ plugin: plugin.package.name, err: error }, 'The isolated plug-in cannot be started.')
      await pause(START_AGAIN_MS, signal)
    }
  }
}

async function startOne(
  parts: Parts,
  plugin: IsolatedPlugin,
  label: string,
  closing: Set<Promise<void>>,
): Promise<Supervisor> {
  const { settings, log } = parts
  const { name } = plugin.package
  const permissions = plugin.package.permissions ?? NO_PERMISSIONS
  const askable = permissions.agents.flatMap((agent) => parts.agents.record(agent) ?? [])
  const { command, args, sealed } = launchOf(ENTRY, plugin.package.folder, permissions)
  if (!sealed && permissions.network.length === 0) {
    log.warn(
      { plugin: name },
      'The kernel gives no network namespace here: only Node keeps the network from this plug-in.',
    )
  }
  const services = createServices(parts)
  return await startSupervisor(
    {
      id: `plugin-${name}`,
      intensity: Number.POSITIVE_INFINITY,
      period: 60_000,
      children: [
        processChild({
          id: name,
          command,
          args,
          cwd: plugin.package.folder,
          env: environmentOf(plugin.package, { askable, graceMs: settings.graceMs, describe: false }),
          shutdown: settings.graceMs + 2_000,
          backoff: BACKOFF,
          ready: READY,
          output: ({ text }) => log.info({ plugin: name }, text),
          attach(child) {
            const guarded = { name, agents: plugin.agents.map((agent) => agent.name), permissions }
            const { journal, bus } = parts.stores
            const guard = createGuard(
              { journal, bus, services, agents: parts.agents, plugin: guarded, label: `${label}/${name}` },
              wireOf(child, (why) => {
                log.warn({ plugin: name }, `The isolated plug-in is ended: ${why}.`)
                child.kill('SIGKILL')
              }),
            )
            const look = setInterval(() => {
              if (guard.silentMs() > SILENT_MS) child.kill('SIGKILL')
            }, LOOK_MS)
            child.once('exit', () => {
              clearInterval(look)
              const closed = guard
                .close()
                .catch((error: unknown) => parts.onTrouble(`taking over from ${name}`, error))
                .finally(() => closing.delete(closed))
              closing.add(closed)
            })
          },
        }),
      ],
    },
    {
      listener: (event) =>
        event.level !== 'info' && log.warn({ plugin: name, event: event.type }, 'An isolated plug-in.'),
    },
  )
}

/** Runs the plug-in's code, isolated as ever, only to hear which agents it has. */
export async function describeIsolated(found: AgentPackage): Promise<AgentRecord[]> {
  const { command, args } = launchOf(ENTRY, found.folder, found.permissions ?? NO_PERMISSIONS)
  const child = spawn(command, args, {
    cwd: found.folder,
    env: environmentOf(found, { askable: [], graceMs: 0, describe: true }),
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let timer: NodeJS.Timeout | undefined
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < 4_000) said += text
  })
  try {
    return await new Promise<AgentRecord[]>((resolve, reject) => {
      const refuse = (why: string) =>
        reject(
          new TroupeError('plugin_invalid', `${found.name} ${why}. ${said.trim().split('\n').slice(0, 6).join(' ')}`),
        )
      timer = setTimeout(() => refuse(`did not load within ${DESCRIBE_MS} ms`), DESCRIBE_MS)
      child.once('exit', () => refuse('ended while it was loaded'))
      child.once('error', (error) => refuse(`cannot be run: ${error.message}`))
      wireOf(child, refuse).onMessage((message) => {
        const agents = agentRecords.safeParse(message)
        if (agents.success) resolve(agents.data as AgentRecord[])
        else refuse(`describes its agents wrongly: ${z.prettifyError(agents.error)}`)
      })
    })
  } finally {
    clearTimeout(timer)
    child.removeAllListeners('exit')
    child.kill('SIGKILL')
  }
}

function environmentOf(found: AgentPackage, more: Omit<PluginOrders, 'package' | 'tools'>): Record<string, string> {
  const { tools } = found.permissions ?? NO_PERMISSIONS
  const orders: PluginOrders = { package: found, tools, ...more }
  // Nothing of our own environment: that is where credentials are.
  return {
    PATH: '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    NODE_NO_WARNINGS: '1',
    TROUPE_PLUGIN: JSON.stringify(orders),
  }
}

function wireOf(child: ChildProcess, onBroken: (why: string) => void): Channel {
  return wireOver(child.stdio[3] as Duplex, onBroken)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
