// The agents as an isolated plug-in's process sees them: an ask to one that the manifest does not declare is refused with
// the line to add, whether or not this Troupe has such an agent. The guard refuses it again (judgement.ts).
import { TroupeError } from '../contract/errors.ts'
import { type AgentRecord, AgentRegistry, type Permissions } from '../plugins/index.ts'
import type { Agent } from '../sdk/index.ts'

export class DeclaredAgents extends AgentRegistry {
  readonly #declared: readonly string[]

  /** `others`: those that exist of what was declared. */
  constructor(own: Agent[], others: AgentRecord[], { agents }: Permissions) {
    super(own)
    this.#declared = agents
    for (const record of others) if (this.find(record.name) === undefined) this.addRecord(record)
  }

  override require(name: string, version?: string): ReturnType<AgentRegistry['require']> {
    if (this.agent(name) !== undefined || this.#declared.includes(name)) return super.require(name, version)
    const line = `"agents": ${JSON.stringify([...this.#declared, name])}`
    throw new TroupeError(
      'permission_denied',
      `The manifest does not let it ask ${name}. In package.json, under troupe.permissions: ${line}`,
    )
  }
}
