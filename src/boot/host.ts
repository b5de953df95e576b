// The process of one host of a cluster: it runs actors, and knows nothing of HTTP. It tells its parent under which id
// it began, so that its lease can be ended when the parent sees it die.
import { toTroupeError } from '../contract/errors.ts'
import type { Host } from '../host/host.ts'
import { takeOver } from '../host/take-over.ts'
import { watchDeaths } from './deaths.ts'
import { showPlugins } from './isolated-tree.ts'
import { metricsEndpointOf } from './metrics-endpoint.ts'
import { drainHost, hostOf, openParts, type Parts } from './parts.ts'
import { runProcess } from './process.ts'
import { readSettings } from './settings.ts'
import { refuseEmbedded } from './stores.ts'

/**
 * A newer Troupe has migrated the database under it. It could still claim tasks and run their steps, again and again, and
 * record none of them. So it lets go of all at once; whoever starts it again sees why it is refused.
 */
function endingIfOutdated(onTrouble: Parts['onTrouble'], host: () => Host): Parts['onTrouble'] {
  let ending = false
  return (what, thrown) => {
    onTrouble(what, thrown)
    const error = toTroupeError(thrown)
    if (error.code !== 'journal_newer' || ending) return
    ending = true
    console.error(error.words)
    void host()
      .stop()
      .finally(() => process.exit(1))
  }
}

await runProcess(async () => {
  const settings = readSettings()
  refuseEmbedded(settings, 'host')
  const parts = await openParts(settings, 'host')
  const endpoint = await metricsEndpointOf(settings.metricsAddress, parts.measures, parts.holdsLease)
  const host = hostOf({ ...parts, onTrouble: endingIfOutdated(parts.onTrouble, () => host) }, settings.label)
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
