// What a plug-in's commit may contain: its own task, children that it may ask, messages to its family. The journal
// judges epoch and size; this judges reach.
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'
import { TASK_STATES } from '../contract/task.ts'
import type { ActorCommit, MessageBody, TaskRow } from '../journal/journal.ts'

export interface Reach {
  /** Its own, and those that its manifest lets it ask. */
  mayAsk(agent: string): boolean
  /** Throws `invalid_input` as a door would. */
  checkInput(child: { agent: string; agentVersion: string; input: unknown }): void
  /** The parent of a task; null: it has none. Undefined: there is no such task. */
  parentOf(taskId: string): Promise<string | null | undefined>
}

/** Only what the judgement reads; the journal's own checks see the rest. */
const commitSchema = z.looseObject({
  taskId: z.string(),
  state: z.enum(TASK_STATES),
  claim: z.object({ hostId: z.string() }).optional(),
  events: z.array(z.looseObject({ type: z.string() })).max(10_000),
  messages: z
    .array(z.looseObject({ to: z.string(), from: z.string(), body: z.looseObject({ kind: z.string() }) }))
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
    reach.checkInput(child)
    if (child.tenant !== task.tenant) throw denied(`a child of ${task.id} for another tenant`)
    if (child.parent?.taskId !== task.id || child.depth !== task.depth + 1)
      throw denied(`a child that ${task.id} does not have`)
    // The journal answers a known id with the task that has it: somebody else's would become this one's child.
    const parent = await reach.parentOf(child.id)
    if (parent !== undefined && parent !== task.id) throw denied(`a child under the id of ${child.id}`)
    own.add(child.id)
  }
  for (const message of commit.messages ?? []) {
    // What an actor puts into its own mailbox stands for a child that could not be asked.
    if (message.to === task.id) continue
    // A cancel is signed by what its sender is to the receiver.
    const signature = message.body.kind === 'cancel' ? 'parent' : task.id
    if (message.from !== signature) throw denied(`a message of ${task.id} in another’s name`)
    if (message.to === task.parent?.taskId) {
      if (!isOfChild(message.body, task)) throw denied(`a ${message.body.kind} of ${task.id} to its parent`)
      continue
    }
    const { kind } = message.body
    if (kind !== 'event' && kind !== 'cancel') throw denied(`a ${kind} of ${task.id} to ${message.to}`)
    if (own.has(message.to)) continue
    if ((await reach.parentOf(message.to)) !== task.id) throw denied(`a message of ${task.id} to ${message.to}`)
  }
}

/** A child answers for itself only, and gives its parent no orders. */
function isOfChild(body: MessageBody, { id, parent }: TaskRow): boolean {
  if (body.kind === 'reply') return body.childId === id && body.stepId === parent?.stepId
  return body.kind === 'event'
}

function denied(what: string): TroupeError {
  return new TroupeError('permission_denied', `An isolated plug-in tried what it may not: ${what}.`)
}
