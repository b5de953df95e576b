// The process of one host of a cluster: it runs actors, and knows nothing of HTTP. It tells its parent under which id
// it began, so that its lease can be ended when the parent sees it die.
import { takeOver } from '../host/take-over.ts'
import { watchDeaths } from './deaths.ts'
import { showPlugins } from './isolated-tree.ts'
import { metricsEndpointOf } from './metrics-endpoint.ts'
import { drainHost, hostOf, openParts } from './parts.ts'
import { runProcess } from './process.ts'
import { readSettings } from './settings.ts'
import { refuseEmbedded } from './stores.ts'

await runProcess(async () => {
  const settings = readSettings()
  refuseEmbedded(settings, 'host')
  const parts = await openParts(settings, 'host')
  const endpoint = await metricsEndpointOf(settings.metricsAddress, parts.measures, parts.holdsLease)
  const host = hostOf(parts, settings.label)
  await host.start()
  const plugins = showPlugins(parts, settings.label)
  const stopWatching = watchDeaths(settings.supervisorUrl, (origin) =>
    takeOver({ ...parts.stores, origin, onTrouble: parts.onTrouble }),
  )
  return {
    facts: { host: host.id, ...endpoint?.facts },
    async stop() {
      stopWatching()
      await Promise.all([drainHost(host, settings.graceMs), plugins.stop()])
      await endpoint?.stop()
      await parts.close()
    },
  }
})
