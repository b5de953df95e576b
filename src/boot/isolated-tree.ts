// The isolated plug-ins of a host as the root supervisor sees them: below the host in the tree, and restarted on order.
import { showBelow } from '../supervision/index.ts'
import { type IsolationParts, type RunningPlugins, startIsolated } from './isolated.ts'

const LOOK_MS = 500

export function showPlugins(parts: IsolationParts, label: string): RunningPlugins {
  let plugins: RunningPlugins | undefined
  const tell = showBelow(async (id) => await plugins?.restart(id))
  const show = () => plugins !== undefined && tell(plugins.nodes())
  const started = startIsolated(parts, label, show)
  plugins = started
  if (parts.isolated.length === 0) return started
  show()
  // Not every change is an event: one that begins to start says nothing.
  const looking = setInterval(show, LOOK_MS)
  return {
    ...started,
    async stop() {
      clearInterval(looking)
      await started.stop()
    },
  }
}
