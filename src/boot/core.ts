// The embedded process: gateway, host, journal and in-process bus together, because they share them.
// A child of `troupe up`; also a whole installation by itself: `node src/boot/core.ts`.
import { ensureAdminKey } from '../gateway/index.ts'
import type { Journal } from '../journal/journal.ts'
import { showPlugins } from './isolated-tree.ts'
import { drainHost, gatewayOf, hostOf, openParts, watchModelsOf } from './parts.ts'
import { runProcess } from './process.ts'
import { readSettings } from './settings.ts'

await runProcess(async () => {
  const settings = readSettings()
  const parts = await openParts(settings, 'core')
  const host = hostOf(parts, 'core')
  await endLeasesBefore(parts.stores.journal)
  await host.start()
  const plugins = showPlugins(parts, 'core')
  await ensureAdminKey(settings.dataFolder, parts.stores.gatewayStore)
  const gateway = await gatewayOf(parts, () => ({ host: host.id, actors: host.actors }))
  const stopWatchingModels = watchModelsOf(parts)
  const { url } = await gateway.listen(settings.host, settings.port)
  return {
    facts: { url },
    async stop() {
      stopWatchingModels()
      // At the same time: one grace for all, or a slow caller and a slow step would take two.
      await Promise.all([gateway.drain(settings.graceMs), drainHost(host, settings.graceMs), plugins.stop()])
      await parts.close()
    },
  }
})

/** The journal is open here and nowhere else, so whatever host held a lease is dead: its tasks go on at once. */
async function endLeasesBefore(journal: Journal): Promise<void> {
  for (const { hostId, alive } of await journal.hosts()) if (alive) await journal.endLease(hostId)
}
