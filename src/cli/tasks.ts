// troupe tasks ls | show | follow | cancel | retry | message
import { TroupeError } from '../contract/errors.ts'
import { type GatewayClient, type TaskView, taskPath } from './client.ts'
import type { Handler } from './context.ts'
import { answerCommands, exitCodeOfTask, inWords, waitingWords, watchTask } from './follow.ts'
import { readInput } from './input.ts'
import { labelFilters } from './labels.ts'
import { showEnd } from './submit.ts'
import { duration, facts, table } from './table.ts'

export interface ListOptions {
  parent?: string
  state?: string
  /** Its old name. */
  status?: string
  agent?: string
  label?: string[]
  limit: string
  cursor?: string
}

export const listTasks: Handler<ListOptions> = async (context, _, options) => {
  const { state = options.status, agent, parent, label, limit, cursor } = options
  const gateway = await context.connect()
  const query = { state, agent, parent, label: labelFilters(label), limit, cursor }
  const page = await gateway.get<{ tasks: TaskView[]; nextCursor?: string }>('/v1/tasks', { query })
  context.show(page, ({ tasks }) =>
    table(
      ['ID', 'AGENT', 'STATE', 'AGE', 'TOOK'],
      tasks.map(({ id, agent, state, createdAt, endedAt }) => [
        id,
        agent,
        state,
        duration(Date.now() - Date.parse(createdAt)),
        endedAt === undefined ? '' : duration(Date.parse(endedAt) - Date.parse(createdAt)),
      ]),
    ),
  )
  if (page.nextCursor !== undefined) context.terminal.note(`There are more: --cursor ${page.nextCursor}`)
}

export const showTask: Handler = async (context, [id]) => {
  const gateway = await context.connect()
  const task = await gateway.get<TaskView & { input?: unknown }>(taskPath(id!))
  context.show(task, (shown) =>
    [
      facts({
        id: shown.id,
        agent: `${shown.agent}@${shown.agentVersion}`,
        state: shown.state,
        'waiting for': shown.waitingFor && waitingWords(shown.waitingFor),
        'answer it': shown.waitingFor?.messages?.length ? answerCommands(shown.id, shown.waitingFor) : undefined,
        error: shown.error && `${shown.error.code}: ${shown.error.message}`,
        labels:
          shown.labels &&
          Object.entries(shown.labels)
            .map((label) => label.join('='))
            .join(' '),
        created: shown.createdAt,
        started: shown.startedAt,
        ended: shown.endedAt,
        events: shown.lastEvent,
        tokens: shown.usage && `${shown.usage.inputTokens} in, ${shown.usage.outputTokens} out`,
      }),
      `\ninput\n${JSON.stringify(shown.input, null, 2)}`,
      ...(shown.output === undefined ? [] : [`\noutput\n${JSON.stringify(shown.output, null, 2)}`]),
    ].join('\n'),
  )
}

export const followTask: Handler<{ after: string }> = async (context, [id], { after }) => {
  if (!/^\d+$/.test(after)) throw new TroupeError('invalid_command', `--after ${after} is not the number of an event.`)
  const gateway = await context.connect()
  for await (const event of gateway.follow(id!, Number(after))) {
    if (context.globals.json) context.terminal.out(JSON.stringify(event))
    else context.terminal.out(`${String(event.number).padStart(4)}  ${event.at}  ${inWords(event)}`)
  }
  return exitCodeOfTask(await gateway.get<TaskView>(taskPath(id!)))
}

export const cancelTask: Handler<{ reason?: string }> = async (context, [id], { reason }) => {
  const gateway = await context.connect()
  const task = await gateway.post<TaskView>(`${taskPath(id!)}/cancel`, reason === undefined ? {} : { reason })
  context.show(task, () => `${id} will be cancelled`)
}

export const retryTask: Handler<{ wait?: boolean; follow?: boolean }> = async (context, [id], options) => {
  const gateway = await context.connect()
  const task = await gateway.post<TaskView>(`${taskPath(id!)}/retry`)
  if (options.wait || options.follow) {
    return showEnd(context, await watchTask(context, gateway, task.id, !options.follow))
  }
  context.show(task, ({ state }) => `${id} is ${state}`)
}

export const messageTask: Handler<{ event?: string }> = async (context, [id, type, given], { event }) => {
  const body = await readInput(given)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new TroupeError('invalid_input', 'The content of a message is an object, like {"approved": true}.')
  }
  const gateway = await context.connect()
  const headers = event === undefined ? {} : { 'if-match': await etagAt(gateway, id!, event) }
  const answer = await gateway.post(`${taskPath(id!)}/messages`, { ...body, type }, { headers })
  context.show(answer, () => `${type} was delivered to ${id}`)
}

async function etagAt(gateway: GatewayClient, id: string, event: string): Promise<string> {
  const { answer, etag } = await gateway.getTagged<TaskView>(taskPath(id))
  if (String(answer.lastEvent) === event) return etag
  throw new TroupeError('precondition_failed', `${id} is at event ${answer.lastEvent}, no longer at ${event}.`)
}
