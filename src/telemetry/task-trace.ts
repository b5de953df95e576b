// The waterfall of a task out of its log: who ran it when, each step with its time, each child. Children's own spans
// are put below the step that asked for them.
import type { TaskEvent } from '../contract/events.ts'
import type { Task } from '../contract/task.ts'

export interface TraceSpan {
  id: string
  parent?: string
  name: string
  startedAt: number
  /** Absent while it goes on. */
  endedAt?: number
  attributes: Record<string, string | number>
  error?: string
}

/** `logs`: the task and its descendants, parents before children, each with its whole log. */
export function traceOfLog(logs: { task: Task; events: TaskEvent[] }[]): TraceSpan[] {
  return logs.flatMap(({ task, events }) => spansOfTask(task, events))
}

function spansOfTask(task: Task, events: TaskEvent[]): TraceSpan[] {
  const root: TraceSpan = {
    id: task.id,
    name: `invoke_agent ${task.agent}`,
    startedAt: task.createdAt,
    attributes: {
      'gen_ai.agent.name': task.agent,
      'gen_ai.agent.version': task.agentVersion,
      'troupe.task.state': task.state,
    },
    ...(task.parent === undefined ? {} : { parent: `${task.parent.taskId}/${task.parent.stepId}` }),
    ...(task.endedAt === undefined ? {} : { endedAt: task.endedAt }),
    ...(task.error === undefined ? {} : { error: task.error.message }),
  }
  const spans = [root]
  const open = new Map<string, TraceSpan>()
  let incarnation: TraceSpan | undefined

  const begin = (key: string, name: string, at: number, attributes: TraceSpan['attributes'] = {}): TraceSpan => {
    const span: TraceSpan = { id: key, parent: incarnation?.id ?? root.id, name, startedAt: at, attributes }
    spans.push(span)
    return span
  }
  const close = (key: string, at: number, error?: string) => {
    const span = open.get(key)
    if (span === undefined) return
    span.endedAt = at
    if (error !== undefined) span.error = error
    open.delete(key)
  }

  for (const { number, at, body } of events) {
    switch (body.type) {
      case 'task.started':
      case 'task.resumed':
        incarnation = undefined
        incarnation = begin(
          `${task.id}#${number}`,
          body.type === 'task.started' ? 'run' : `run again: ${body.because}`,
          at,
          {
            'troupe.host': body.host,
          },
        )
        break
      case 'step.started':
        open.set(
          body.step,
          begin(`${task.id}/${body.step}:${body.invocation}`, `step ${shortStep(task.agent, body.step)}`, at),
        )
        break
      case 'step.completed':
        // A handler's steps are told when they end, with how long they took.
        if (!open.has(body.step))
          open.set(
            body.step,
            begin(`${task.id}/${body.step}`, `step ${shortStep(task.agent, body.step)}`, at - body.ms),
          )
        close(body.step, at)
        break
      case 'step.failed':
        close(body.step, at, body.error.message)
        break
      case 'step.stopped':
        close(body.step, at, 'stopped')
        break
      case 'child.asked':
        open.set(body.step, begin(`${task.id}/${body.step}`, `ask ${body.agent}`, at, { 'troupe.task.id': body.task }))
        break
      case 'child.ended':
        close(body.step, at, body.state === 'completed' ? undefined : body.state)
        break
      case 'task.waiting':
      case 'task.released':
      case 'task.owner_lost':
      case 'task.crashed':
        if (incarnation !== undefined) incarnation.endedAt = at
        if (incarnation !== undefined && body.type === 'task.crashed') incarnation.error = body.error.message
        break
    }
    if (task.endedAt !== undefined && number === task.lastEvent && incarnation !== undefined) incarnation.endedAt = at
  }
  return spans
}

/** xstate names an invocation by its whole path (`0.reader.open.page`); which agent's it is the lines above tell. */
export function shortStep(agent: string, id: string): string {
  return id.startsWith(`0.${agent}.`) ? id.slice(agent.length + 3) : id
}
