// Loads the agents of packages. One package that cannot be loaded must not keep the others from working: it is
// reported, and its agents are unknown.
import { dirname, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { TroupeError, toTroupeError } from '../contract/errors.ts'
import { type Agent, isAgent } from '../sdk/define-agent.ts'
import type { AgentPackage } from './discover.ts'
import { AgentRegistry } from './registry.ts'

export interface LoadReport {
  agents: AgentRegistry
  refused: { package: string; error: TroupeError }[]
}

export async function loadAgents(packages: AgentPackage[]): Promise<LoadReport> {
  const agents = new AgentRegistry()
  const refused: LoadReport['refused'] = []
  for (const found of packages) {
    try {
      for (const agent of await agentsOf(found)) agents.add(agent)
    } catch (error) {
      refused.push({ package: found.name, error: toTroupeError(error, 'plugin_invalid') })
    }
  }
  return { agents, refused }
}

export async function agentsOf(found: AgentPackage): Promise<Agent[]> {
  const agents: Agent[] = []
  for (const module of found.modules) {
    const exported = await defaultOf(module)
    const listed = Array.isArray(exported) ? exported : [exported]
    if (!listed.every(isAgent)) {
      throw new TroupeError(
        'plugin_invalid',
        `${module} must export by default what defineAgent(…) returned, or an array of such agents.`,
      )
    }
    agents.push(...listed)
  }
  return agents
}

async function defaultOf(module: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(module).href)) as { default?: unknown }).default
  } catch (thrown) {
    if (thrown instanceof TroupeError) throw thrown
    const { message, stack, cause } = thrown instanceof Error ? thrown : new Error(String(thrown))
    const why = cause instanceof Error ? `${message} (${cause.message})` : message
    throw new TroupeError('plugin_invalid', `${placeIn(dirname(module), stack) ?? module}: ${why}`, { cause: thrown })
  }
}

/** `folder/index.ts:11`: the stack begins with it when the module is no TypeScript, and has it further down when it threw. */
function placeIn(folder: string, stack = ''): string | undefined {
  const places = stack.matchAll(/(file:\/\/\/[^\s:]+):(\d+)/g)
  for (const [, url, line] of places) {
    const path = fileURLToPath(url!)
    if (path.startsWith(folder + sep)) return `${path}:${line}`
  }
  return undefined
}
