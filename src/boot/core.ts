// The embedded process: gateway, host, journal and in-process bus together, because they share them.
// A child of `troupe up`; also a whole installation by itself: `node src/boot/core.ts`.
import { join } from 'node:path'
import { createDesk } from '../desk/desk.ts'
import { createGateway, ensureAdminKey } from '../gateway/index.ts'
import { createHost } from '../host/host.ts'
import { contextMaker } from '../host/services.ts'
import { findPackages, loadAgents, readPackage } from '../plugins/index.ts'
import { runProcess } from './process.ts'
import { createLog, createServices } from './services.ts'
import { readSettings, type Settings } from './settings.ts'
import { openStores } from './stores.ts'

const REPOSITORY = join(import.meta.dirname, '..', '..')

await runProcess(async () => {
  const settings = readSettings()
  const log = createLog(settings, 'core')
  const stores = await openStores(settings)
  const { journal, bus, blobs, gatewayStore } = stores
  const { agents, refused } = await loadAgents(await packagesOf(settings))
  for (const { package: name, error } of refused) log.error({ package: name, code: error.code }, error.message)

  const onTrouble = (what: string, error: unknown) => log.warn({ err: error }, `Trouble with ${what}.`)
  const host = createHost({
    journal,
    bus,
    agents,
    makeContext: contextMaker(createServices(settings, stores, log)),
    around: (_task, _run, inner) => inner(),
    label: 'core',
    onTrouble,
  })
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
      await stores.close()
    },
  }
})

async function packagesOf(settings: Settings) {
  const found = await findPackages([join(REPOSITORY, 'agents'), join(settings.dataFolder, 'plugins', 'node_modules')])
  for (const path of settings.agentPaths) found.push(await readPackage(path))
  return found
}
