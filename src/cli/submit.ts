// troupe submit: gives an agent a task, and stays with it if that is wanted.
import { randomUUID } from 'node:crypto'
import { TroupeError } from '../contract/errors.ts'
import type { TaskView } from './client.ts'
import type { Handler } from './context.ts'
import { exitCodeOfTask, watchTask } from './follow.ts'
import { readInput } from './input.ts'
import { attachments } from './labels.ts'
import { COMMAND } from './terminal.ts'

export interface SubmitOptions {
  wait?: boolean
  follow?: boolean
  document?: string
  priority?: string
  deadline?: string
  budget?: string
  idempotencyKey?: string
  label?: string[]
  callback?: string
}

export const submitCommand: Handler<SubmitOptions> = async (context, [agent, given], options) => {
  const gateway = await context.connect()
  const input = await readInput(given)
  const documents = options.document === undefined ? {} : { document: await upload(gateway, options.document) }
  if (typeof input !== 'object' && options.document !== undefined) {
    throw new TroupeError('invalid_input', 'With --document the input must be an object: the document is put into it.')
  }
  const body = {
    agent,
    input: options.document === undefined ? input : { ...documents, ...(input as object) },
    priority: options.priority,
    deadline: options.deadline,
    ...attachments(options),
    ...(options.budget === undefined ? {} : { budget: { tokens: Number(options.budget) } }),
  }
  // With a key of its own, a submission whose answer got lost could be repeated; the client repeats none by itself.
  const headers = { 'idempotency-key': options.idempotencyKey ?? randomUUID() }
  const task = await gateway.post<TaskView>('/v1/tasks', body, { headers })
  if (!options.wait && !options.follow) {
    context.show(task, ({ id }) => id)
    context.terminal.note(`See it: ${COMMAND} tasks follow ${task.id}`)
    return
  }
  context.terminal.note(`${task.id} for ${task.agent}@${task.agentVersion}`)
  const ended = await watchTask(context, gateway, task.id, !options.follow)
  return showEnd(context, ended)
}

/** Its output on stdout; why it has none on stderr. */
export function showEnd(context: Parameters<Handler>[0], task: TaskView): number {
  if (context.globals.json) context.terminal.out(JSON.stringify(task, null, 2))
  else if (task.output !== undefined) context.terminal.out(JSON.stringify(task.output, null, 2))
  if (task.state !== 'completed') {
    const why = task.error === undefined ? '' : `: ${task.error.code}: ${task.error.message}`
    const behind = task.error?.cause === undefined ? '' : ` (${task.error.cause.message})`
    context.terminal.note(`${task.id} ${task.state}${why}${behind}`)
  }
  return exitCodeOfTask(task)
}

async function upload(
  gateway: Awaited<ReturnType<Parameters<Handler>[0]['connect']>>,
  file: string,
): Promise<{ id: string }> {
  const { id } = await gateway.upload<{ id: string }>('/v1/documents', file)
  return { id }
}
