// A cluster to break: one gateway and three hosts as processes under a supervisor, real servers behind them. Each host
// reaches them over a network of its own (host-network.ts), so that it alone can be cut off.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { serveControl } from '../../src/boot/control.ts'
import { tellDeath } from '../../src/boot/deaths.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import {
  processChild,
  type SupervisionEvent,
  type Supervisor,
  startSupervisor,
  supervisorChild,
  type TreeNode,
} from '../../src/supervision/index.ts'
import { freePort } from '../support/server-process.ts'
import type { TestServer } from '../support/servers.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'
import { type Far, openHostNetwork } from './host-network.ts'
import { namespacesRefused } from './namespace.ts'

export interface Servers {
  postgres: TestServer
  nats: TestServer
  redis?: TestServer
}

export interface Host {
  name: string
  /** Nothing between two lives. */
  pid(): number | undefined
  /** A host that is just being started again is not hit. */
  kill(signal: NodeJS.Signals): void
  postgres: TcpProxy
  nats: TcpProxy
  /** Returns how to mend it. */
  cutOff(from: Far): () => void
}

export interface Cluster {
  /** How hosts are cut off: `network namespaces`, or `proxy`, and why no namespaces. */
  parted: string
  url: string
  key: string
  /** Effects and accepted ids are logged here. */
  folder: string
  /** Where NATS keeps its streams. */
  natsStore: string
  hosts: Host[]
  servers: Servers
  /** Opened behind everybody's back, to look at the truth. */
  journal: Journal
  supervisor: Supervisor
  events: SupervisionEvent[]
  /** What the processes wrote. */
  said: string[]
  /** Of gateway and hosts, by name. */
  pids(): Record<string, number | undefined>
  /** Resolves when every process serves: what one scenario broke must not excuse the next. */
  whole(): Promise<void>
  stop(): Promise<void>
}

const ROOT = join(import.meta.dirname, '..', '..')
/** Hosts are killed for sport here; a budget would end the game. */
const BUDGET = { intensity: 1_000, period: 1_000 }
const WHOLE_AGAIN_MS = 30_000
const BACKOFF = { immediate: 1_000, first: 1, factor: 1, max: 1, jitter: 0 }

export interface ClusterOptions {
  folder: string
  natsStore: string
  hosts?: number
  /** The agent package that hosts and gateway load. */
  agents?: string
  /** False: hosts reach the servers directly, for measuring. */
  proxied?: boolean
  /** Each host in a network namespace of its own, where that can be had. */
  namespaces?: boolean
}

const here = (command: string, args: string[]) => ({ command, args })
const CHAOS_AGENTS = join(import.meta.dirname, 'agents')

export async function startCluster(
  servers: Servers,
  { folder, natsStore, hosts = 3, agents = CHAOS_AGENTS, proxied = true, namespaces = false }: ClusterOptions,
): Promise<Cluster> {
  const events: SupervisionEvent[] = []
  const said: string[] = []
  const control = await serveControl(() => {})
  const environment = {
    ...process.env,
    NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'troupe', 'compiled'),
    TROUPE_DATA: folder,
    TROUPE_PORT: '0',
    TROUPE_AGENTS: agents,
    TROUPE_SUPERVISOR_URL: control.url,
    TROUPE_POSTGRES_URL: servers.postgres.url,
    TROUPE_NATS_URL: servers.nats.url,
    TROUPE_REDIS_URL: servers.redis?.url,
    CHAOS_FOLDER: folder,
  }
  const start = (id: string, role: string, more: Record<string, string>, inside = here) =>
    processChild({
      id,
      ...inside(process.execPath, [
        '--import',
        join(import.meta.dirname, 'clock.mjs'),
        join(ROOT, 'src', 'boot', `${role}.ts`),
      ]),
      env: { ...environment, ...more },
      output: ({ text }) => said.push(`${id}: ${text}`),
      backoff: BACKOFF,
      shutdown: 15_000,
    })

  const refused = proxied && namespaces ? namespacesRefused() : 'not asked for'
  const members = await Promise.all(
    Array.from({ length: hosts }, async (_, index) => {
      const network = await openHostNetwork({ ...servers, control: control.url }, { namespaces: refused === false })
      const name = `host-${index + 1}`
      const addresses = proxied ? network.environment : {}
      return { name, network, child: start(name, 'host', { TROUPE_LABEL: name, ...addresses }, network.inside) }
    }),
  )
  const supervisor = await startSupervisor(
    {
      id: 'chaos',
      ...BUDGET,
      children: [
        supervisorChild({ id: 'hosts', ...BUDGET, children: members.map(({ child }) => child) }),
        // A port of its own choice would be another one after a restart, and its callers would not find it.
        start('gateway', 'gateway', { TROUPE_PORT: String(await freePort()) }),
      ],
    },
    {
      listener(event) {
        events.push(event)
        tellDeath(event, control)
      },
    },
  )
  control.serve(supervisor)
  const nodeOf = (name: string) => find(supervisor.tree(), name)!
  const names = ['gateway', ...members.map(({ name }) => name)]
  const journal = await openPostgresJournal({ url: servers.postgres.url, lanes: 1, pool: 2 })
  return {
    url: String(nodeOf('gateway').facts?.url),
    key: readFileSync(join(folder, 'admin.key'), 'utf8').trim(),
    folder,
    natsStore,
    parted: refused === false ? 'network namespaces' : `proxy: ${refused}`,
    hosts: members.map(({ name, network: { postgres, nats, cutOff } }) => {
      const pid = () => nodeOf(name).facts?.pid as number | undefined
      const kill = (signal: NodeJS.Signals) => {
        const target = pid()
        if (target !== undefined) process.kill(target, signal)
      }
      return { name, postgres, nats, cutOff, pid, kill }
    }),
    servers,
    journal,
    supervisor,
    events,
    said,
    pids: () => Object.fromEntries(names.map((name) => [name, nodeOf(name).facts?.pid as number | undefined])),
    async whole() {
      const deadline = performance.now() + WHOLE_AGAIN_MS
      while (names.some((name) => nodeOf(name).state !== 'running')) {
        if (performance.now() > deadline)
          throw new Error(`The cluster is not whole: ${JSON.stringify(supervisor.tree())}`)
        await wait(20)
      }
    },
    async stop() {
      await supervisor.stop()
      control.close()
      await journal.close()
      for (const { network } of members) await network.close()
    },
  }
}

function find(node: TreeNode, id: string): TreeNode | undefined {
  if (node.id === id) return node
  for (const child of node.children ?? []) {
    const found = find(child, id)
    if (found !== undefined) return found
  }
  return undefined
}
