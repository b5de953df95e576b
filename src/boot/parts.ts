// What a host and a gateway are made of, alike in one process (core.ts) and in many (host.ts, gateway.ts).
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { closeDocumentPools } from '@troupe/tools/document-pool'
import type { Logger } from 'pino'
import { TroupeError } from '../contract/errors.ts'
import { MAX_OWNER_DEATHS } from '../contract/limits.ts'
import { createDesk } from '../desk/desk.ts'
import { createGateway, type Gateway } from '../gateway/index.ts'
import { createHost, type Host } from '../host/host.ts'
import type { Observe } from '../host/observe.ts'
import { contextMaker } from '../host/services.ts'
import {
  type AgentRecord,
  type AgentRegistry,
  findPackages,
  loadAgents,
  readAdded,
  readPackage,
} from '../plugins/index.ts'
import type { Facts } from '../supervision/index.ts'
import type { IsolatedPlugin } from './isolated.ts'
import { measureHost } from './measured-host.ts'
import { measureJournal } from './measured-journal.ts'
import { measureTelemetry } from './measured-telemetry.ts'
import { measureTree } from './measured-tree.ts'
import { createMeasures, type Measures } from './measures.ts'
import { watchModels } from './model-watch.ts'
import { type PlatformFeed, startPlatformFeed } from './platform-feed.ts'
import { createLog, createServices } from './services.ts'
import type { Settings } from './settings.ts'
import { openStores, type Stores } from './stores.ts'
import { connectSupervision } from './supervision.ts'
import { startTelemetry, type Telemetry } from './telemetry.ts'
import { webhookAgentOf } from './webhooks.ts'
import { connectWorkers, type Workers } from './workers.ts'

export interface Parts {
  settings: Settings
  log: Logger
  stores: Stores
  agents: AgentRegistry
  /** Plug-ins that run in processes of their own. */
  isolated: IsolatedPlugin[]
  workers: Workers
  telemetry: Telemetry
  measures: Measures
  /** Spans and counts of tasks, whether they run here or in an isolated plug-in. */
  observe: Observe
  /** A host may claim tasks while it does. */
  holdsLease(): boolean
  /** Why the journal takes no writes now, if space is what it lacks. */
  outOfSpace(): TroupeError | undefined
  onTrouble(what: string, error: unknown): void
  close(): Promise<void>
}

/** Of a task whose host died, so much of its log is looked through for when it had begun. */
const TOLD_EVENTS = 500

/**
 * An embedded host is the only one: nobody could take its tasks while it sleeps (a laptop's lid), and they must not be counted
 * as lost with it (P8). When its process dies, the next one ends its lease (core.ts).
 */
const ALONE_LEASE_MS = 365 * 86_400_000

const REPOSITORY = join(import.meta.dirname, '..', '..')

export async function openParts(settings: Settings, name: string): Promise<Parts> {
  const log = createLog(settings, name)
  const opened = await openStores(settings)
  const measures = createMeasures(name)
  let feed: PlatformFeed | undefined
  const onTrouble: Parts['onTrouble'] = (what, error) => {
    log.warn({ err: error }, `Trouble with ${what}.`)
    feed?.trouble(what, error)
  }
  const { journal, holdsLease, outOfSpace } = measureJournal(measures, opened.journal, ({ id, agent }) => {
    const why = `${MAX_OWNER_DEATHS} hosts died while they ran ${id}; it has failed, and can be retried.`
    onTrouble(`a task of ${agent} that kills hosts`, new TroupeError('task_poisoned', why))
  })
  const stores: Stores = { ...opened, journal }
  const connected = measures.metrics.gauge('troupe_bus_connected', '1 while the bus is connected')
  measures.atScrape(() => connected({}, stores.bus.status().connected ? 1 : 0))
  try {
    const { packages, isolated } = await packagesOf(settings, (name, error) =>
      log.error({ plugin: name, err: error }, error.message),
    )
    const { agents, refused } = await loadAgents(packages)
    // Most of what process.ts keeps for a successor, kept before a lease is held that it could cost.
    flushCompileCache()
    for (const { package: from, error } of refused) log.error({ package: from, code: error.code }, error.message)
    for (const plugin of isolated) for (const record of plugin.agents) agents.addRecord(record)
    const workers = connectWorkers(settings)
    const telemetry = await startTelemetry(name, (message) => log.warn(message))
    measureTelemetry(measures, telemetry)
    const running = startPlatformFeed(stores.bus, settings.label)
    feed = running
    agents.add(webhookAgentOf(settings, stores, running))
    const observe = measureHost(
      measures.metrics,
      agents.names(),
      running.ended,
    )(
      telemetry.observe({
        journalSystem: settings.postgresUrl === undefined ? 'sqlite' : 'postgresql',
        lastEvents: (taskId, upTo) => journal.events(taskId, Math.max(0, upTo - TOLD_EVENTS), TOLD_EVENTS),
      }),
    )
    return {
      settings,
      log,
      stores,
      agents,
      isolated,
      workers,
      telemetry,
      measures,
      observe,
      holdsLease,
      outOfSpace,
      onTrouble,
      async close() {
        workers.close()
        // The host has drained: what still reads a document reads for nobody.
        await closeDocumentPools()
        await telemetry.stop()
        measures.stop()
        running.stop()
        await stores.close()
      },
    }
  } catch (error) {
    measures.stop()
    await stores.close()
    throw error
  }
}

export function hostOf(parts: Parts, label: string): Host {
  const { journal, bus } = parts.stores
  return createHost({
    journal,
    bus,
    agents: parts.agents,
    makeContext: contextMaker(createServices(parts)),
    observe: parts.observe,
    label,
    retentionMs: parts.settings.retentionMs,
    ...(parts.settings.natsUrl === undefined ? { leaseMs: ALONE_LEASE_MS } : {}),
    onTrouble: parts.onTrouble,
  })
}

/** Whoever stops it sees why it takes a moment. */
export async function drainHost(host: Host, graceMs: number): Promise<void> {
  const { actors } = host
  if (actors > 0) console.error(`draining ${actors} running task${actors === 1 ? '' : 's'}`)
  await host.drain(graceMs)
}

/** A gateway looks after what the inference worker cannot tell anybody itself. Returns how to stop. */
export function watchModelsOf({ workers, onTrouble }: Parts): () => void {
  return workers.models === undefined ? () => {} : watchModels(workers.models, onTrouble)
}

/** `own`: what this process alone knows of itself, for its node of the tree. */
export function gatewayOf(parts: Parts, own: () => Facts): Promise<Gateway> {
  const { settings, agents, workers, telemetry, measures } = parts
  const { journal, bus, blobs, gatewayStore: store } = parts.stores
  const desk = createDesk({ journal, bus, agents })
  const supervision = settings.supervisorUrl === undefined ? undefined : connectSupervision(settings.supervisorUrl, own)
  if (supervision !== undefined) measureTree(measures, () => supervision.tree())
  return createGateway({
    desk,
    journal,
    bus,
    agents,
    blobs,
    store,
    outOfSpace: parts.outOfSpace,
    telemetry: { ...telemetry.gateway(desk), metrics: () => measures.text() },
    ...(workers.collections === undefined ? {} : { retrieval: workers.collections }),
    ...(supervision === undefined ? {} : { supervision }),
    config: {
      ...settings.gateway,
      logLevel: settings.logLevel,
      ...(settings.redisUrl === undefined ? {} : { redisUrl: settings.redisUrl }),
      ...(settings.policyFile === undefined ? {} : { policyFile: settings.policyFile }),
    },
  })
}

/** Ours, those the operator names, and those that `troupe plugin add` added. A broken one keeps no other from working. */
async function packagesOf(settings: Settings, onRefused: (name: string, error: Error) => void) {
  const packages = await findPackages([join(REPOSITORY, 'agents')])
  for (const path of settings.agentPaths) packages.push(await readPackage(path))
  const isolated: IsolatedPlugin[] = []
  for (const { name, folder, trusted, agents } of await readAdded(settings.dataFolder)) {
    try {
      const found = await readPackage(folder)
      if (trusted) packages.push(found)
      else isolated.push({ package: found, agents: agents as AgentRecord[] })
    } catch (error) {
      onRefused(name, error as Error)
    }
  }
  return { packages, isolated }
}
