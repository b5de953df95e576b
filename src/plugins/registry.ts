// The agents this process knows, by name and version. The desk asks it about schemas, the host for behaviour. Of an
// isolated plug-in it has the schemas only: that code runs in a process of its own.
import { rcompare } from 'semver'
import { WEBHOOK_AGENT } from '../contract/callbacks.ts'
import { TroupeError } from '../contract/errors.ts'
import type { AgentCard, AgentDirectory } from '../desk/directory.ts'
import type { Agent } from '../sdk/define-agent.ts'
import { type AgentRecord, cardOf, cardOfRecord, recordOf } from './cards.ts'

export class AgentRegistry implements AgentDirectory {
  /** Versions of an agent, newest first. */
  private readonly agents = new Map<string, Agent[]>()
  private readonly cards = new Map<string, AgentCard[]>()
  private readonly records = new Map<string, AgentRecord>()

  constructor(agents: Agent[] = []) {
    for (const agent of agents) this.add(agent)
  }

  add(agent: Agent): void {
    this.addCard(cardOf(agent))
    const versions = this.agents.get(agent.name) ?? []
    this.agents.set(agent.name, [...versions, agent].sort(newestFirst))
  }

  /** An agent that runs elsewhere. */
  addRecord(record: AgentRecord): void {
    this.addCard(cardOfRecord(record))
    this.records.set(record.name, record)
  }

  /** For a process that shall know an agent without its code. */
  record(name: string): AgentRecord | undefined {
    const here = this.agent(name)
    return here === undefined ? this.records.get(name) : recordOf(here)
  }

  /** Of the agents whose code is here. */
  agent(name: string, version?: string): Agent | undefined {
    const versions = this.agents.get(name)
    return version === undefined ? versions?.[0] : versions?.find((agent) => agent.version === version)
  }

  /** Of the agents whose code is here. */
  names(): string[] {
    return [...this.agents.keys()]
  }

  find(name: string, version?: string): AgentCard | undefined {
    const versions = this.cards.get(name)
    return version === undefined ? versions?.[0] : versions?.find((card) => card.version === version)
  }

  require(name: string, version?: string): AgentCard {
    const card = this.find(name, version)
    if (card !== undefined) return card
    const versions = this.cards.get(name)?.map((known) => known.version)
    const known =
      versions === undefined
        ? `Known agents: ${[...this.cards.keys()].filter((known) => known !== WEBHOOK_AGENT.name).join(', ') || 'none'}`
        : `It has ${versions.join(', ')}`
    throw new TroupeError(
      'unknown_agent',
      `There is no agent ${name}${version === undefined ? '' : `@${version}`}. ${known}.`,
    )
  }

  list(): AgentCard[] {
    const names = [...this.cards.keys()].sort((left, right) => left.localeCompare(right))
    return names.flatMap((name) => this.cards.get(name)!)
  }

  private addCard(card: AgentCard): void {
    const versions = this.cards.get(card.name) ?? []
    if (versions.some(({ version }) => version === card.version)) {
      throw new TroupeError(
        'agent_invalid',
        `${card.name}@${card.version} is loaded twice; remove one of the packages.`,
      )
    }
    this.cards.set(card.name, [...versions, card].sort(newestFirst))
  }
}

function newestFirst(left: { version: string }, right: { version: string }): number {
  return rcompare(left.version, right.version)
}
