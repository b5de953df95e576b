// The agents this process has loaded, by name and version. The desk asks it about schemas, the host for behaviour.
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'
import type { AgentCard, AgentDirectory } from '../desk/directory.ts'
import type { Agent } from '../sdk/define-agent.ts'

export class AgentRegistry implements AgentDirectory {
  /** Versions of an agent, newest first. */
  private readonly agents = new Map<string, Agent[]>()
  private readonly cards = new Map<Agent, AgentCard>()

  constructor(agents: Agent[] = []) {
    for (const agent of agents) this.add(agent)
  }

  add(agent: Agent): void {
    const versions = this.agents.get(agent.name) ?? []
    if (versions.some((known) => known.version === agent.version)) {
      throw new TroupeError(
        'agent_invalid',
        `${agent.name}@${agent.version} is loaded twice; remove one of the packages.`,
      )
    }
    versions.push(agent)
    versions.sort((left, right) => compareVersions(right.version, left.version))
    this.agents.set(agent.name, versions)
    this.cards.set(agent, cardOf(agent))
  }

  agent(name: string, version?: string): Agent | undefined {
    const versions = this.agents.get(name)
    return version === undefined ? versions?.[0] : versions?.find((agent) => agent.version === version)
  }

  names(): string[] {
    return [...this.agents.keys()]
  }

  find(name: string, version?: string): AgentCard | undefined {
    const agent = this.agent(name, version)
    return agent === undefined ? undefined : this.cards.get(agent)
  }

  require(name: string, version?: string): AgentCard {
    const card = this.find(name, version)
    if (card !== undefined) return card
    const versions = this.agents.get(name)?.map((agent) => agent.version)
    const known =
      versions === undefined ? `Known agents: ${this.names().join(', ') || 'none'}` : `It has ${versions.join(', ')}`
    throw new TroupeError(
      'unknown_agent',
      `There is no agent ${name}${version === undefined ? '' : `@${version}`}. ${known}.`,
    )
  }

  list(): AgentCard[] {
    return [...this.cards.values()].sort(
      (left, right) => left.name.localeCompare(right.name) || compareVersions(right.version, left.version),
    )
  }
}

function cardOf(agent: Agent): AgentCard {
  return {
    name: agent.name,
    version: agent.version,
    description: agent.description,
    inputSchema: agent.inputSchema,
    outputSchema: agent.outputSchema,
    checkInput(input) {
      return check(agent.input, input, `The input for ${agent.name}`)
    },
    checkMessage(event) {
      if (agent.messages === undefined) return
      const { type, ...body } = event
      const schema = agent.messages[type]
      if (schema === undefined) {
        const known = Object.keys(agent.messages).join(', ')
        throw new TroupeError('invalid_input', `${agent.name} takes no message "${type}"; it takes ${known}.`)
      }
      check(schema, body, `The message "${type}" for ${agent.name}`)
    },
  }
}

function check(schema: z.ZodType, value: unknown, what: string): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
  throw new TroupeError('invalid_input', `${what} is wrong: ${z.prettifyError(parsed.error)}`, { detail: { issues } })
}

/** Numbers by value, and a pre-release (1.0.0-rc.1) before its release. */
export function compareVersions(left: string, right: string): number {
  const [leftCore = '', leftPre] = left.split(/-(.*)/s)
  const [rightCore = '', rightPre] = right.split(/-(.*)/s)
  const a = leftCore.split('.').map(Number)
  const b = rightCore.split('.').map(Number)
  for (let index = 0; index < 3; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  if (leftPre === rightPre) return 0
  if (leftPre === undefined) return 1
  if (rightPre === undefined) return -1
  return leftPre.localeCompare(rightPre, 'en', { numeric: true })
}
