// The shapes of the API's answers, for the type-checker: browsers never load this file.
import type { Budget, Priority, TaskState, Usage, WaitingFor } from '../src/contract/task.ts'

export interface TaskError {
  code: string
  message: string
  fix?: string
  detail?: Record<string, unknown>
  cause?: TaskError
}

export interface TaskView {
  id: string
  agent: string
  agentVersion: string
  state: TaskState
  priority: Priority
  /** Lists leave input and output out. */
  input?: unknown
  output?: unknown
  error?: TaskError
  waitingFor?: { kind: WaitingFor['kind']; detail?: string; until?: string }
  parent?: { taskId: string; stepId: string }
  deadline?: string
  budget?: Budget
  usage?: Usage
  metadata?: Record<string, string>
  labels?: Record<string, string>
  callbacks?: { to: string }[]
  createdAt: string
  startedAt?: string
  updatedAt: string
  endedAt?: string
  lastEvent: number
}

export interface SpanView {
  id: string
  parent?: string
  name: string
  startedAt: string
  /** Absent while it goes on. */
  endedAt?: string
  error?: string
  attributes: Record<string, string | number>
}

/** The other fields depend on the type: contract/events.ts. */
export interface EventView {
  task: string
  number: number
  at: string
  type: string
  [field: string]: unknown
}

export type JsonSchema = Record<string, unknown>

export interface AgentView {
  name: string
  version: string
  description: string
  inputSchema: JsonSchema
  outputSchema: JsonSchema
  messages?: Record<string, JsonSchema>
  health?: { tasks: Partial<Record<TaskState, number>>; restsOn: string[] }
}

export interface UsageView {
  since: string
  usage: Usage & { tasks: number }
  quota: { tasksPerDay?: number; tokensPerMonth?: number; costMicrosPerMonth?: number }
}

export interface TreeNode {
  id: string
  path: string
  state: string
  restarts: number
  uptime?: number
  lastError?: string
  facts?: Record<string, string | number>
  children?: TreeNode[]
}

export interface ProblemBody {
  code: string
  detail: string
  fix: string
  type: string
}
