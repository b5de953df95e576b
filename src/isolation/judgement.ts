// What a plug-in's commit may contain: its own task, children that it may ask, messages to its family. The journal
// judges epoch and size; this judges reach.
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'
import type { ActorCommit, TaskRow } from '../journal/journal.ts'

export interface Reach {
  /** Its own, and those that its manifest lets it ask. */
  mayAsk(agent: string): boolean
  /** Is this task a child of that one? */
  isChild(taskId: string, parentId: string): Promise<boolean>
}

/** Only what the judgement reads; the journal's own checks see the rest. */
const commitSchema = z.looseObject({
  taskId: z.string(),
  claim: z.object({ hostId: z.string() }).optional(),
  events: z.array(z.looseObject({ type: z.string() })).max(10_000),
  messages: z
    .array(z.looseObject({ to: z.string(), from: z.string() }))
    .max(10_000)
    .optional(),
  children: z
    .array(z.looseObject({ id: z.string(), tenant: z.string(), agent: z.string(), depth: z.int() }))
    .max(10_000)
    .optional(),
})

export function readCommit(value: unknown): ActorCommit {
  const parsed = commitSchema.safeParse(value)
  if (!parsed.success) throw denied(`a commit that is none: ${z.prettifyError(parsed.error)}`)
  return value as ActorCommit
}

export async function judge(commit: ActorCommit, task: TaskRow, reach: Reach): Promise<void> {
  const own = new Set<string>()
  for (const child of commit.children ?? []) {
    if (!reach.mayAsk(child.agent)) {
      throw denied(`${task.agent} asked ${child.agent}; its manifest does not name it under permissions.agents`)
    }
    if (child.tenant !== task.tenant) throw denied(`a child of ${task.id} for another tenant`)
    if (child.parent?.taskId !== task.id || child.depth !== task.depth + 1)
      throw denied(`a child that ${task.id} does not have`)
    own.add(child.id)
  }
  for (const message of commit.messages ?? []) {
    // What an actor puts into its own mailbox stands for a child that could not be asked.
    if (message.to === task.id) continue
    if (message.to === task.parent?.taskId && message.from === task.id) continue
    if (own.has(message.to)) continue
    if (!(await reach.isChild(message.to, task.id))) throw denied(`a message of ${task.id} to ${message.to}`)
  }
}

function denied(what: string): TroupeError {
  return new TroupeError('permission_denied', `An isolated plug-in tried what it may not: ${what}.`)
}
