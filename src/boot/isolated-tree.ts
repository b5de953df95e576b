// The isolated plug-ins of a host as the root supervisor sees them: below the host in the tree, and restarted on order.
import { showBelow } from '../supervision/index.ts'
import { type IsolationParts, type RunningPlugins, startIsolated } from './isolated.ts'

export function showPlugins(parts: IsolationParts, label: string): RunningPlugins {
  let plugins: RunningPlugins | undefined
  const tell = showBelow(async (id) => await plugins?.restart(id))
  const show = () => plugins !== undefined && tell(plugins.nodes())
  plugins = startIsolated(parts, label, show)
  if (parts.isolated.length > 0) show()
  return plugins
}
