// troupe agents ls | show
import type { Handler } from './context.ts'
import { facts, table } from './table.ts'

interface AgentView {
  name: string
  version: string
  description: string
  inputSchema: Record<string, unknown>
  outputSchema: Record<string, unknown>
  health?: { tasks: Record<string, number> }
}

export const listAgents: Handler = async (context) => {
  const gateway = await context.connect()
  const { agents } = await gateway.get<{ agents: AgentView[] }>('/v1/agents')
  context.show(agents, (all) =>
    table(
      ['AGENT', 'VERSION', 'DESCRIPTION'],
      all.map(({ name, version, description }) => [name, version, firstSentence(description)]),
    ),
  )
}

export const showAgent: Handler<{ schema?: boolean }> = async (context, [name], { schema }) => {
  const gateway = await context.connect()
  const agent = await gateway.get<AgentView>(`/v1/agents/${encodeURIComponent(name!)}`)
  context.show(agent, ({ name, version, description, inputSchema, outputSchema, health }) => {
    const tasks = Object.entries(health?.tasks ?? {}).map(([state, count]) => `${count} ${state}`)
    const about = facts({ agent: name, version, tasks: tasks.join(', ') || 'none' })
    const schemas = schema
      ? `\n\ninput\n${JSON.stringify(inputSchema, null, 2)}\n\noutput\n${JSON.stringify(outputSchema, null, 2)}`
      : `\n\ninput\n${fieldsOf(inputSchema)}\n\noutput\n${fieldsOf(outputSchema)}`
    return `${about}\n\n${description}${schemas}`
  })
}

/** The names a person looks for; the whole schema is behind --schema. */
function fieldsOf(schema: Record<string, unknown>): string {
  const properties = (schema.properties ?? {}) as Record<string, { type?: string; description?: string }>
  const required = (schema.required ?? []) as string[]
  const rows = Object.entries(properties).map(([name, { type, description }]) => [
    `  ${name}${required.includes(name) ? '' : '?'}`,
    type ?? '',
    description ?? '',
  ])
  if (rows.length === 0) return `  ${JSON.stringify(schema)}`
  return table(['', '', ''], rows).trimStart().replace(/^/, '  ')
}

function firstSentence(text: string): string {
  const sentence = text.split(/(?<=[.!?;])\s/)[0]!
  return sentence.length > 100 ? `${sentence.slice(0, 99)}…` : sentence
}
