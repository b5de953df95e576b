// `troupe up`: the root supervisor. It supervises, passes on what its children say, and answers who asks for the tree;
// it does nothing else, so it has no reason to die. The running system itself is in supervisors/troupe.ts.
import { join } from 'node:path'
import { clusterTree, embeddedTree, type TreeOptions } from '../../supervisors/troupe.ts'
import { ERROR_CODES, type ErrorCode, TroupeError } from '../contract/errors.ts'
import { type OutputLine, type Supervisor, startSupervisor } from '../supervision/index.ts'
import { serveControl } from './control.ts'
import { tellDeath } from './deaths.ts'
import { type FolderLock, lockFolder, watchFolder } from './folder-lock.ts'
import type { Narrator } from './narrate.ts'
import { claimPort, preferPort } from './ports.ts'
import { hostAndPort } from './setting-values.ts'
import type { Settings } from './settings.ts'
import { writeWhereabouts } from './whereabouts.ts'

export interface RunningTroupe {
  url: string
  dataFolder: string
  supervisor: Supervisor
  /** The environment of a command that is to find this installation. */
  environment: Record<string, string | undefined>
  stop(reason?: 'shutdown' | 'kill'): Promise<void>
  /** Why it could not go on, when nobody asked it to stop. */
  broken(): TroupeError | undefined
}

export async function startTroupe(settings: Settings, narrator: Narrator): Promise<RunningTroupe> {
  const lock = await lockFolder(settings.dataFolder)
  try {
    return await startLocked(settings, narrator, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

async function startLocked(settings: Settings, narrator: Narrator, lock: FolderLock): Promise<RunningTroupe> {
  const addresses = await chooseAddresses(settings)
  const control = await serveControl(narrator.say)
  const environment = environmentOf(settings, addresses, control.url)
  const complaints = new Complaints()
  const options: TreeOptions = {
    program: (role) => [join(import.meta.dirname, `${role}.ts`)],
    environment: (role, id) => ({
      ...environment,
      TROUPE_METRICS_ADDRESS: addresses.metrics[id],
      ...(role === 'host' ? { TROUPE_LABEL: id } : {}),
    }),
    // A gateway goes on for a while before that, so that proxies forget it.
    graceMs: (settings.gateway.unreadyMs ?? 0) + settings.graceMs,
    hangMs: settings.hangMs,
    output(line) {
      complaints.hear(line)
      narrator.line(line)
    },
  }
  let supervisor: Supervisor
  try {
    const tree =
      settings.natsUrl === undefined ? embeddedTree(options) : clusterTree({ ...options, hosts: settings.hosts })
    supervisor = await startSupervisor(tree, {
      listener(event) {
        narrator.event(event)
        tellDeath(event, control)
      },
    })
  } catch (error) {
    control.close()
    throw complaints.last ?? error
  }
  control.serve(supervisor)
  const url = `http://${forUrl(settings.host)}:${addresses.port}`
  const { inference, retrieval } = addresses
  await writeWhereabouts(settings.dataFolder, { url, pid: process.pid, inference, retrieval })
  let broken: TroupeError | undefined
  const watch = watchFolder(settings.dataFolder, (error) => {
    broken = error
    void supervisor.stop('kill')
  })
  const closed = supervisor.exited.then(() => {
    watch.stop()
    control.close()
    lock.release()
  })
  return {
    url,
    dataFolder: settings.dataFolder,
    supervisor,
    environment,
    broken: () => broken,
    async stop(reason = 'shutdown') {
      await supervisor.stop(reason)
      await closed
    },
  }
}

interface Addresses {
  port: number
  inference: string
  retrieval: string
  /** Where each child without doors is scraped. */
  metrics: Record<string, string>
}

/** Fixed for the life of the root: a client of a worker that was restarted finds it where it was. */
async function chooseAddresses(settings: Settings): Promise<Addresses> {
  const { host, port: wanted } = settings
  const port = await claimPort(host, wanted)
  const beside = wanted === 0 ? { inference: 0, retrieval: 0 } : { inference: port + 1, retrieval: port + 2 }
  const inference = await preferPort('127.0.0.1', beside.inference)
  const retrieval = await preferPort('127.0.0.1', beside.retrieval)
  const metrics = await chooseMetricsAddresses(settings, wanted === 0 ? 0 : port + 10)
  return { port, inference: `127.0.0.1:${inference}`, retrieval: `127.0.0.1:${retrieval}`, metrics }
}

/** Side by side from the wanted one: a scraper's configuration is written once. */
async function chooseMetricsAddresses(
  { metricsAddress, natsUrl, hosts }: Settings,
  beside: number,
): Promise<Record<string, string>> {
  const { host, port: first } =
    metricsAddress === undefined
      ? { host: '127.0.0.1', port: beside }
      : hostAndPort(metricsAddress, 'TROUPE_METRICS_ADDRESS')
  const ids = ['inference', 'retrieval']
  if (natsUrl !== undefined) for (let number = 1; number <= hosts; number++) ids.push(`host-${number}`)
  const chosen: Record<string, string> = {}
  for (const [index, id] of ids.entries()) {
    const port = await preferPort(host, first === 0 ? 0 : first + index)
    chosen[id] = `${host.includes(':') ? `[${host}]` : host}:${port}`
  }
  return chosen
}

function environmentOf(
  settings: Settings,
  addresses: Addresses,
  supervisorUrl: string,
): Record<string, string | undefined> {
  return {
    TROUPE_MODELS: join(import.meta.dirname, '..', '..', 'models'),
    // Compiled sources are kept: a process that is started again serves in half the time.
    NODE_COMPILE_CACHE: join(settings.dataFolder, 'cache', 'node'),
    ...process.env,
    // They may have been given on the command line.
    TROUPE_POSTGRES_URL: settings.postgresUrl,
    TROUPE_NATS_URL: settings.natsUrl,
    TROUPE_REDIS_URL: settings.redisUrl,
    TROUPE_DATA: settings.dataFolder,
    TROUPE_HOST: settings.host,
    TROUPE_PORT: String(addresses.port),
    TROUPE_GRACE_MS: String(settings.graceMs),
    TROUPE_LOG: settings.logLevel,
    TROUPE_INFERENCE_ADDRESS: addresses.inference,
    TROUPE_INFERENCE_URL: addresses.inference,
    TROUPE_RETRIEVAL_ADDRESS: addresses.retrieval,
    TROUPE_RETRIEVAL_URL: addresses.retrieval,
    TROUPE_SUPERVISOR_URL: supervisorUrl,
  }
}

function forUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

/** A child that cannot start says why in one coded line (process.ts); that is the root's reason too. */
class Complaints {
  last: TroupeError | undefined

  hear({ stream, text }: OutputLine): void {
    if (stream !== 'stderr') return
    const [, code, message] = /^([a-z_]+): (.+)$/.exec(text) ?? []
    if (code === undefined || !(code in ERROR_CODES)) return
    const { fix } = new TroupeError(code as ErrorCode, '')
    this.last = new TroupeError(code as ErrorCode, message!.replace(` ${fix}`, ''))
  }
}
