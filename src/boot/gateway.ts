// The process of the gateway of a cluster: the doors, and no actors. It also hears of hosts that died: it lives on when
// there is only one host.
import { ensureAdminKey } from '../gateway/index.ts'
import { takeOver } from '../host/take-over.ts'
import { watchDeaths } from './deaths.ts'
import { gatewayOf, openParts, watchModelsOf } from './parts.ts'
import { runProcess } from './process.ts'
import { readSettings } from './settings.ts'
import { refuseEmbedded } from './stores.ts'

await runProcess(async () => {
  const settings = readSettings()
  refuseEmbedded(settings, 'gateway')
  const parts = await openParts(settings, 'gateway')
  await ensureAdminKey(settings.dataFolder, parts.stores.gatewayStore)
  const gateway = await gatewayOf(parts, () => ({}))
  const stopWatching = watchDeaths(settings.supervisorUrl, (origin) =>
    takeOver({ ...parts.stores, origin, onTrouble: parts.onTrouble }),
  )
  const stopWatchingModels = watchModelsOf(parts)
  const { url } = await gateway.listen(settings.host, settings.port)
  return {
    facts: { url },
    async stop() {
      stopWatchingModels()
      stopWatching()
      await gateway.drain(settings.graceMs)
      await parts.close()
    },
  }
})
