// troupe plugin new | check | add | list | remove
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Examination, examineIsolated } from '../boot/examine.ts'
import { checkAgainst } from '../boot/plugin-check.ts'
import { wouldBreak } from '../boot/would-break.ts'
import { TroupeError } from '../contract/errors.ts'
import {
  type AddedPlugin,
  type AgentPackage,
  AgentRegistry,
  agentsOf,
  readAdded,
  readPackage,
  recordOf,
  writeAdded,
} from '../plugins/index.ts'
import { dataFolderOf } from './connection.ts'
import type { Handler } from './context.ts'
import { EXIT } from './exit-codes.ts'
import { fetchPackage } from './plugin-fetch.ts'
import { writeScaffold } from './plugin-scaffold.ts'
import { table } from './table.ts'
import { COMMAND } from './terminal.ts'

export const newPlugin: Handler<{ machine?: boolean }> = async (context, [folder], { machine }) => {
  const written = await writeScaffold(resolve(folder!), machine ? 'machine' : 'handler')
  context.show(written, ({ files }) => files.join('\n'))
  context.terminal.note(
    `\nNext:\n  (cd ${folder} && npm test)\n  ${COMMAND} plugin check ${folder}\n  ${COMMAND} plugin add ${folder}`,
  )
}

export const checkPlugin: Handler<{ against?: string; trust?: boolean }> = async (context, [folder], options) => {
  const { against, trust = false } = options
  if (!isFolder(folder!)) throw new TroupeError('invalid_command', `There is no folder ${resolve(folder!)}.`)
  const found = await readPackage(folder!)
  const { agents, tasks } = await examine(found, trust, async (examination) => ({
    agents: examination.agents,
    tasks: against === undefined ? undefined : await checkAgainst(examination, against),
  }))
  const report = {
    package: `${found.name}@${found.version}`,
    agents: agents.map(({ name, version }) => `${name}@${version}`),
    permissions: found.permissions ?? {},
    ...(tasks === undefined ? {} : { tasks }),
  }
  context.show(report, () => {
    const lines = [`${report.package} can be added: ${report.agents.join(', ')}`]
    if (tasks !== undefined) lines.push(`${tasks.looked} open tasks looked at, ${tasks.breaking.length} would break`)
    if (tasks !== undefined && tasks.breaking.length > 0) {
      const rows = tasks.breaking.map(({ task, agent, version, why }) => [task, `${agent}@${version}`, why])
      lines.push(table(['TASK', 'AGENT', 'WHY'], rows))
    }
    return lines.join('\n')
  })
  return tasks !== undefined && tasks.breaking.length > 0 ? EXIT.refused : undefined
}

/** Its code runs in a guarded process, or here with all rights of the person who types it. */
async function examine<Result>(
  found: AgentPackage,
  trust: boolean,
  use: (examination: Examination) => Promise<Result>,
): Promise<Result> {
  if (!trust) return await examineIsolated(found, use)
  const agents = await agentsOf(found)
  const registry = new AgentRegistry(agents)
  return await use({ agents: agents.map(recordOf), wouldBreak: async (task) => wouldBreak(registry, task) })
}

export const addPlugin: Handler<{ trust?: boolean }> = async (context, [source], { trust = false }) => {
  const data = dataFolderOf(context.globals)
  const fetched = isFolder(source!) ? undefined : await fetchPackage(data, source!)
  let found: AgentPackage
  let plugin: AddedPlugin
  let replaced: AddedPlugin | undefined
  try {
    found = await readPackage(fetched?.folder ?? resolve(source!))
    const agents = await examine(found, trust, async (examination) => examination.agents)
    plugin = { name: found.name, version: found.version, folder: found.folder, trusted: trust, agents }
    const all = await readAdded(data)
    const others = all.filter(({ name }) => name !== plugin.name)
    replaced = all.find(({ name }) => name === plugin.name)
    refuseTwice(plugin, others)
    await writeAdded(data, [...others, plugin])
  } catch (error) {
    fetched?.discard()
    throw error
  }
  context.show(plugin, () => `${describe(plugin)} added: ${names(plugin)}`)
  const gone = (replaced?.agents ?? []).filter(
    ({ name, version }) => !plugin.agents.some((agent) => agent.name === name && agent.version === version),
  )
  if (gone.length > 0) {
    context.terminal.note(
      `It takes the place of ${names({ agents: gone })}: open tasks of that wait for it, unless the new version declares \`migrate\`, or exports both.`,
    )
  }
  context.terminal.note(
    trust
      ? 'Its code will run within the hosts, with all their rights.'
      : `Its code will run in a process of its own, with ${permitted(found)}.`,
  )
  context.terminal.note(
    `Remembered in ${data}; loaded at the next start: ${COMMAND} restart troupe/core (on a cluster: every host and the gateway).`,
  )
}

export const listPlugins: Handler = async (context) => {
  const plugins = await readAdded(dataFolderOf(context.globals))
  context.show(plugins, (all) =>
    all.length === 0
      ? 'none'
      : table(
          ['PLUGIN', 'AGENTS', 'RUNS', 'FOLDER'],
          all.map((plugin) => [
            describe(plugin),
            names(plugin),
            plugin.trusted ? 'in the hosts' : 'isolated',
            plugin.folder,
          ]),
        ),
  )
}

export const removePlugin: Handler = async (context, [name]) => {
  const data = dataFolderOf(context.globals)
  const plugins = await readAdded(data)
  const removed = plugins.find((plugin) => plugin.name === name)
  if (removed === undefined) {
    const known = plugins.map((plugin) => plugin.name).join(', ') || 'none'
    throw new TroupeError('not_found', `There is no plug-in ${name}; there are: ${known}.`)
  }
  await writeAdded(
    data,
    plugins.filter((plugin) => plugin !== removed),
  )
  context.show(removed, () => `${describe(removed)} removed`)
  context.terminal.note(
    'Its open tasks wait until it is added again, or are cancelled. It runs until the next start: troupe restart troupe/core',
  )
}

function isFolder(path: string): boolean {
  return statSync(resolve(path), { throwIfNoEntry: false })?.isDirectory() === true
}

function refuseTwice(plugin: AddedPlugin, others: AddedPlugin[]): void {
  for (const { name, version } of plugin.agents) {
    const owner = others.find(({ agents }) => agents.some((agent) => agent.name === name && agent.version === version))
    if (owner !== undefined) {
      throw new TroupeError('plugin_invalid', `${name}@${version} is already in ${owner.name}; remove that first.`)
    }
  }
}

function permitted({ permissions }: AgentPackage): string {
  if (permissions === undefined) return 'no permissions'
  const { network, files, tools, agents, services, llm } = permissions
  const granted = Object.entries({ network, read: files.read, write: files.write, tools, agents, services })
    .filter(([, values]) => values.length > 0)
    .map(([kind, values]) => `${kind} ${values.join(' ')}`)
  if (llm) granted.push('the LLM')
  return granted.length === 0 ? 'no permissions' : granted.join(', ')
}

function describe({ name, version }: AddedPlugin): string {
  return `${name}@${version}`
}

function names({ agents }: Pick<AddedPlugin, 'agents'>): string {
  return agents.map(({ name, version }) => `${name}@${version}`).join(', ')
}
