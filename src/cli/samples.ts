// troupe samples: an invoice through the document analyzer, a table through business intelligence and quality assurance,
// and a batch of files through the intake, which asks these three and a person.
// What `npm start` shows a newcomer: real tasks over the real API, their results in words, and where to look further.
import { join } from 'node:path'
import { readSettings } from '../boot/settings.ts'
import type { WaitingFor } from '../contract/task.ts'
import type { GatewayClient, TaskView } from './client.ts'
import type { Context, Handler } from './context.ts'
import { EXIT } from './exit-codes.ts'
import { SAMPLES, type Sample } from './sample-list.ts'
import { duration, facts } from './table.ts'
import { COMMAND } from './terminal.ts'

const FOLDER = join(import.meta.dirname, '..', '..', 'examples', 'samples')

export const samplesCommand: Handler = async (context) => {
  // As a child of `troupe up`: gone with it.
  if (process.send !== undefined) process.once('disconnect', () => process.exit(EXIT.interrupted))
  // Listening alone would keep this process, and its line in the tree, for ever.
  process.channel?.unref()
  const gateway = await context.connect()
  const { agents } = await gateway.get<{ agents: { name: string }[] }>('/v1/agents')
  const here = SAMPLES.filter(({ agent }) => agents.some(({ name }) => name === agent))
  const documents = new Map<string, Promise<string>>()
  const documentOf = (file: string): Promise<string> => {
    const known = documents.get(file) ?? upload(gateway, file)
    documents.set(file, known)
    return known
  }
  const results = await Promise.all(here.map((sample) => runSample(context, gateway, sample, documentOf)))
  if (context.globals.json) context.terminal.out(JSON.stringify(results, null, 2))
  else context.terminal.note(here.length === 0 ? 'None of the sample agents is installed.' : farewell(gateway.url))
  return results.every(({ state }) => state === 'completed') ? EXIT.ok : EXIT.failed
}

async function upload(gateway: GatewayClient, file: string): Promise<string> {
  return (await gateway.upload<{ id: string }>('/v1/documents', join(FOLDER, file))).id
}

async function runSample(
  context: Context,
  gateway: GatewayClient,
  sample: Sample,
  documentOf: (file: string) => Promise<string>,
): Promise<TaskView> {
  const ids = await Promise.all(sample.files.map(documentOf))
  const body = { agent: sample.agent, input: sample.input(...ids) }
  const { id } = await gateway.post<TaskView>('/v1/tasks', body)
  for await (const event of gateway.follow(id, 0)) {
    if (sample.answers === undefined || event.type !== 'task.waiting') continue
    // Whatever else it waits for, an answer would only wake it.
    if ((event.for as WaitingFor).kind !== 'person') continue
    for (const answer of sample.answers) await gateway.post(`/v1/tasks/${id}/messages`, answer).catch(() => {})
  }
  const children = await gateway.get<{ tasks: { agent: string }[] }>(`/v1/tasks?parent=${id}`)
  const task = await gateway.get<TaskView>(`/v1/tasks/${id}`)
  if (!context.globals.json) show(context, gateway.url, sample, task, children.tasks)
  return task
}

function show({ terminal }: Context, url: string, sample: Sample, task: TaskView, children: { agent: string }[]): void {
  const { style } = terminal
  const took = duration(Date.parse(task.endedAt ?? task.createdAt) - Date.parse(task.createdAt))
  const mark = task.state === 'completed' ? style('green', '✔') : style('red', '✘')
  const failed = () => [`${task.state}: ${task.error?.code}: ${task.error?.message}`]
  const lines = task.state === 'completed' ? sample.inWords(task.output as never) : failed()
  const made = task.state === 'completed' ? Object.entries(sample.documents(task.output as never)) : []
  const asked = [...Map.groupBy(children.toReversed(), ({ agent }) => agent)].map(
    ([agent, tasks]) => `${agent} × ${tasks.length}`,
  )
  if (asked.length > 0) lines.push(`${'asked'.padEnd(13)} ${asked.join(' · ')}`)
  const links = [
    readSettings().gateway.console ? `${url}/console/#/tasks/${task.id}` : `${url}/v1/tasks/${task.id}`,
    `${COMMAND} trace ${task.id}`,
    ...made.map(([form, id]) => `${COMMAND} documents get ${id} -o report.${form}`),
  ]
  terminal.out(
    [
      `${mark} ${style('bold', sample.agent)} read examples/samples/${sample.files.join(', ')} in ${took}`,
      ...lines.map((line) => `    ${line}`),
      ...links.map((link) => `    ${style('dim', link)}`),
      '',
    ].join('\n'),
  )
}

function farewell(url: string): string {
  const next = {
    [`${COMMAND} tasks ls`]: 'what was just done',
    [`${COMMAND} submit document-analyzer --document <file> --follow`]: 'a document of your own',
    ...(readSettings().gateway.console ? { [`${url}/console/`]: 'all of it in a browser' } : {}),
    [`${url}/docs`]: 'the API',
  }
  return `The samples are done, and Troupe goes on serving. What next:\n${facts(next).replaceAll(/^/gm, '  ')}`
}
