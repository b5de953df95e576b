// Loads the agents of packages. One package that cannot be loaded must not keep the others from working: it is
// reported, and its agents are unknown.
import { pathToFileURL } from 'node:url'
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
    const { default: exported } = (await import(pathToFileURL(module).href)) as { default?: unknown }
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
