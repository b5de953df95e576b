// The port to the agents that exist. The gateway and every host load the same packages, so both can answer.

export interface AgentCard {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly inputSchema: Record<string, unknown>
  readonly outputSchema: Record<string, unknown>
  /** What a task of it may be told, by the message's type; absent: anything. */
  readonly messages?: Record<string, Record<string, unknown>>
  /** The input as the agent will see it (defaults filled in), or `invalid_input` naming each field. */
  checkInput(input: unknown): unknown
  /** Passes, or throws `invalid_input`, for a message sent to a task of this agent. */
  checkMessage(event: { type: string; [key: string]: unknown }): void
}

export interface AgentDirectory {
  /** The newest version when none is named. */
  find(name: string, version?: string): AgentCard | undefined
  /** Like find, or throws `unknown_agent` that names the nearest ones. */
  require(name: string, version?: string): AgentCard
  list(): AgentCard[]
}
