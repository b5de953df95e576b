// The embedded process: gateway, host, journal and in-process bus together, because they share them.
// A child of `troupe up`; also a whole installation by itself: `node src/boot/core.ts`.
import { join } from 'node:path'
import { createDesk } from '../desk/desk.ts'
import { createGateway, ensureAdminKey } from '../gateway/index.ts'
import { createHost } from '../host/host.ts'
import { contextMaker } from '../host/services.ts'
import type { Journal } from '../journal/journal.ts'
import { findPackages, loadAgents, readPackage } from '../plugins/index.ts'
import { runProcess } from './process.ts'
import { createLog, createServices } from './services.ts'
import { readSettings, type Settings } from './settings.ts'
import { openStores } from './stores.ts'
import { connectSupervision } from './supervision.ts'
import { startTelemetry } from './telemetry.ts'
import { connectWorkers } from './workers.ts'

const REPOSITORY = join(import.meta.dirname, '..', '..')

await runProcess(async () => {
  const settings = readSettings()
  const log = createLog(settings, 'core')
  const stores = await openStores(settings)
  const { journal, bus, blobs, gatewayStore } = stores
  const { agents, refused } = await loadAgents(await packagesOf(settings))
  for (const { package: name, error } of refused) log.error({ package: name, code: error.code }, error.message)

  const onTrouble = (what: string, error: unknown) => log.warn({ err: error }, `Trouble with ${what}.`)
  const workers = connectWorkers(settings)
  const telemetry = await startTelemetry(settings, 'troupe-core')
  const host = createHost({
    journal,
    bus,
    agents,
    makeContext: contextMaker(createServices({ settings, workers, stores, log, telemetry })),
    observe: telemetry.observe,
    label: 'core',
    onTrouble,
  })
  await endLeasesBefore(journal)
  await host.start()
  await ensureAdminKey(settings.dataFolder, gatewayStore)
  const desk = createDesk({ journal, bus, agents })
  const gateway = await createGateway({
    desk,
    journal,
    bus,
    agents,
    blobs,
    store: gatewayStore,
    telemetry: telemetry.gateway(desk),
    ...(workers.collections === undefined ? {} : { retrieval: workers.collections }),
    ...(settings.supervisorUrl === undefined
      ? {}
      : { supervision: connectSupervision(settings.supervisorUrl, () => ({ host: host.id, actors: host.actors })) }),
    config: {
      logLevel: settings.logLevel,
      ...(settings.redisUrl === undefined ? {} : { redisUrl: settings.redisUrl }),
    },
  })
  const { url } = await gateway.listen(settings.host, settings.port)
  return {
    facts: { url },
    async stop() {
      await gateway.drain(settings.graceMs)
      await host.drain(settings.graceMs)
      workers.close()
      await telemetry.stop()
      await stores.close()
    },
  }
})

/** The journal is open here and nowhere else, so whatever host held a lease is dead: its tasks go on at once. */
async function endLeasesBefore(journal: Journal): Promise<void> {
  for (const { hostId, alive } of await journal.hosts()) if (alive) await journal.endLease(hostId)
}

async function packagesOf(settings: Settings) {
  const found = await findPackages([join(REPOSITORY, 'agents'), join(settings.dataFolder, 'plugins', 'node_modules')])
  for (const path of settings.agentPaths) found.push(await readPackage(path))
  return found
}
