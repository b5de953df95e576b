// Starts the processes of isolated plug-ins below a host, each supervised and guarded. One that cannot start or dies
// again and again is tried again, more and more slowly; the host itself never notices.
import { TroupeError } from '../contract/errors.ts'
import { createGuard, launchOf } from '../isolation/index.ts'
import { type AgentPackage, type AgentRecord, NO_PERMISSIONS } from '../plugins/index.ts'
import {
  type Liveness,
  processChild,
  type SupervisionEvent,
  type Supervisor,
  startSupervisor,
  systemClock,
  type TreeNode,
  watchLiveness,
} from '../supervision/index.ts'
import type { Parts } from './parts.ts'
import { environmentOf, PLUGIN_ENTRY, wireOf } from './plugin-orders.ts'
import { createServices } from './services.ts'

export interface IsolatedPlugin {
  package: AgentPackage
  agents: AgentRecord[]
}

/** What it needs of its host's parts. */
export type IsolationParts = Pick<
  Parts,
  'settings' | 'stores' | 'agents' | 'isolated' | 'log' | 'workers' | 'telemetry' | 'observe' | 'onTrouble'
>

export interface RunningPlugins {
  /** For the tree: one node for each plug-in. */
  nodes(): TreeNode[]
  /** A stop in good order and a start; `id` is the plug-in's name in the tree. */
  restart(id: string): Promise<void>
  stop(): Promise<void>
}

/** Twice its lease: whoever has not renewed for so long is stuck in its own code. */
const SILENT_MS = 6_000
/** What runProcess prints where no channel of Node's is. */
const READY = /^host host_/
const START_AGAIN_MS = 30_000
/** Died often and at once: from the first to the longest wait before it is started again. */
const BACKOFF = { immediate: 1, first: 200, factor: 2, max: 30_000, jitter: 0.3 }

/** `onChange`: what `nodes()` answers is another now. */
export function startIsolated(parts: IsolationParts, label: string, onChange: () => void = () => {}): RunningPlugins {
  const stopping = new AbortController()
  const closing = new Set<Promise<void>>()
  const context = { parts, label, closing, onChange, signal: stopping.signal }
  const kept = new Map(parts.isolated.map((plugin) => [nodeId(plugin), keepRunning(plugin, context)]))
  return {
    nodes: () => [...kept.values()].map((plugin) => plugin.node()),
    async restart(id) {
      const plugin = kept.get(id)
      if (plugin === undefined) throw new TroupeError('not_found', `There is no isolated plug-in ${id} here.`)
      await plugin.restart()
    },
    async stop() {
      stopping.abort()
      await Promise.all([...kept.values()].map((plugin) => plugin.ended))
      // The guards still end leases: the journal must stay open for them.
      await Promise.all(closing)
    },
  }
}

interface Context {
  parts: IsolationParts
  label: string
  /** Guards that take over from processes that have ended. */
  closing: Set<Promise<void>>
  onChange(): void
  signal: AbortSignal
}

function keepRunning(plugin: IsolatedPlugin, context: Context) {
  const { parts, signal, onChange } = context
  const id = nodeId(plugin)
  let supervisor: Supervisor | undefined
  let lastError: string | undefined
  /** Ends the pause before the next start, or the supervisor whose child did not come back. */
  let anew = new AbortController()

  async function run(): Promise<void> {
    while (!signal.aborted) {
      anew = new AbortController()
      try {
        supervisor = await startOne(plugin, context)
        onChange()
        await over([anew.signal, signal])
        await supervisor.stop()
      } catch (error) {
        supervisor = undefined
        lastError = (error as Error).message
        onChange()
        parts.log.error({ plugin: plugin.package.name, err: error }, 'The isolated plug-in cannot be started.')
        await over([anew.signal, signal], START_AGAIN_MS)
      }
      supervisor = undefined
    }
  }

  return {
    ended: run(),
    node(): TreeNode {
      const child = supervisor?.tree().children?.[0]
      if (child !== undefined) return child
      const waiting = { id, path: id, type: 'worker', restart: 'permanent', state: 'waiting', restarts: 0 } as const
      return lastError === undefined ? waiting : { ...waiting, lastError }
    },
    async restart(): Promise<void> {
      if (supervisor === undefined) return anew.abort()
      try {
        await supervisor.restartAt([id])
      } catch (error) {
        anew.abort()
        throw error
      }
    },
  }
}

async function startOne(plugin: IsolatedPlugin, context: Context): Promise<Supervisor> {
  const { parts, label, closing, onChange } = context
  const { settings, log } = parts
  const { name } = plugin.package
  const permissions = plugin.package.permissions ?? NO_PERMISSIONS
  const askable = permissions.agents.flatMap((agent) => parts.agents.record(agent) ?? [])
  const { command, args, sealed } = launchOf(PLUGIN_ENTRY, plugin.package.folder, permissions)
  if (!sealed && permissions.network.length === 0) {
    log.warn(
      { plugin: name },
      'The kernel gives no network namespace here: only Node keeps the network from this plug-in.',
    )
  }
  const services = createServices(parts)
  return await startSupervisor(
    {
      id: `plugin-${nodeId(plugin)}`,
      intensity: Number.POSITIVE_INFINITY,
      period: 60_000,
      children: [
        processChild({
          id: nodeId(plugin),
          command,
          args,
          cwd: plugin.package.folder,
          env: environmentOf({
            package: plugin.package,
            askable,
            examine: false,
            llm: settings.llm !== undefined,
            graceMs: settings.graceMs,
          }),
          shutdown: settings.graceMs + 2_000,
          backoff: BACKOFF,
          ready: READY,
          output: ({ text }) => log.info({ plugin: name }, text),
          attach(child) {
            const guarded = { name, agents: plugin.agents.map((agent) => agent.name), permissions }
            const { journal, bus } = parts.stores
            const secrets = settings.llm?.apiKey === undefined ? [] : [settings.llm.apiKey]
            let liveness: Liveness | undefined
            const onHeard = () => {
              // Its first lease begins the watch: until then it loads.
              liveness ??= watchLiveness({
                clock: systemClock,
                allowance: SILENT_MS,
                onSilent: () => child.kill('SIGKILL'),
              })
              liveness.heard()
            }
            const guard = createGuard(
              {
                ...{ journal, bus, services, secrets, onHeard, observe: parts.observe },
                agents: parts.agents,
                plugin: guarded,
                label: `${label}/${name}`,
              },
              wireOf(child, (why) => {
                log.warn({ plugin: name }, `The isolated plug-in is ended: ${why}.`)
                child.kill('SIGKILL')
              }),
            )
            child.once('exit', () => {
              liveness?.stop()
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
      listener(event) {
        onChange()
        tellOf(event, name, log)
      },
    },
  )
}

/** With what it last said: nowhere else does an author learn how the process ended. */
function tellOf(event: SupervisionEvent, plugin: string, log: Parts['log']): void {
  if ('error' in event) log.warn({ plugin, err: event.error }, 'An isolated plug-in ended.')
  else if (event.type === 'child_ended' && event.outcome.kind === 'normal') {
    log.warn({ plugin }, 'An isolated plug-in ended its own process.')
  } else if (event.type === 'child_restarting') {
    log.warn({ plugin, inMs: Math.round(event.delay) }, 'An isolated plug-in starts again.')
  } else if (event.level !== 'info') log.warn({ plugin, event: event.type }, 'An isolated plug-in.')
}

/** A package's name may have a scope; an id in the tree has no `/`. */
function nodeId({ package: { name } }: IsolatedPlugin): string {
  return name.replaceAll('/', ':')
}

/** When one of the signals is aborted, or the time has passed. */
async function over(signals: AbortSignal[], ms?: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
  const listen = () => resolve()
  for (const signal of signals) {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', listen, { once: true })
  }
  await promise
  clearTimeout(timer)
  for (const signal of signals) signal.removeEventListener('abort', listen)
}
