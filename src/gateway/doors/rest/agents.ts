// What can be asked to work: the agents this installation has loaded, with their schemas.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { WEBHOOK_AGENT } from '../../../contract/callbacks.ts'
import { TroupeError } from '../../../contract/errors.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'

const jsonSchema = z.record(z.string(), z.unknown()).describe('JSON Schema')
const agentSchema = z
  .object({
    name: z.string(),
    version: z.string(),
    description: z.string(),
    inputSchema: jsonSchema,
    outputSchema: jsonSchema,
    messages: z
      .record(z.string(), jsonSchema)
      .optional()
      .describe('What a task of it may be told, by the message’s `type`; absent: anything.'),
    health: z
      .object({
        tasks: z.record(z.string(), z.int()).describe('How many of its tasks are in each state.'),
        restsOn: z.array(z.string()).describe('Hosts on which its tasks crashed again and again: they wait a while.'),
      })
      .optional()
      .describe('Only for the platform’s own tenant: the numbers are everyone’s.'),
  })
  .meta({ id: 'Agent' })

export function agentsDoor(context: GatewayContext): FastifyPluginAsyncZod {
  const { agents, journal, config } = context

  return async (app) => {
    app.get(
      '/v1/agents',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['agents'],
          summary: 'List the agents',
          response: { 200: z.object({ agents: z.array(agentSchema) }), ...problems() },
        },
      },
      // What delivers callbacks is asked by nobody.
      async () => ({
        agents: agents
          .list()
          .filter(({ name }) => name !== WEBHOOK_AGENT.name)
          .map(card),
      }),
    )

    app.get(
      '/v1/agents/:name',
      {
        config: { role: 'viewer' },
        schema: {
          tags: ['agents'],
          summary: 'Read an agent',
          params: z.object({ name: z.string().max(100) }),
          querystring: z.object({ version: z.string().max(100).optional() }),
          response: { 200: agentSchema, ...problems('unknown_agent') },
        },
      },
      async (request) => {
        const agent = agents.find(request.params.name, request.query.version)
        if (agent === undefined) throw new TroupeError('unknown_agent', `There is no agent ${request.params.name}.`)
        if (request.principal?.tenant !== config.platformTenant) return card(agent)
        const counts = (await journal.counts()).filter((count) => count.agent === agent.name)
        const tasks = Object.fromEntries(counts.map((count) => [count.state, count.tasks]))
        const resting = (await journal.hosts()).filter(
          ({ alive, info }) => alive && Array.isArray(info.resting) && info.resting.includes(agent.name),
        )
        return { ...card(agent), health: { tasks, restsOn: resting.map(({ info }) => String(info.label)) } }
      },
    )
  }
}

function card(agent: z.infer<typeof agentSchema>): z.infer<typeof agentSchema> {
  const { name, version, description, inputSchema, outputSchema, messages } = agent
  const shown = { name, version, description, inputSchema, outputSchema }
  return messages === undefined ? shown : { ...shown, messages }
}
