// The MCP door: an assistant that speaks the Model Context Protocol finds each agent as a tool, and calls it. POST /mcp.
//   index.ts       this file: the route; one answer, or a stream with progress before it
//   messages.ts    JSON-RPC: what is asked, what is answered, what is wrong
//   revisions.ts   the two generations of the protocol, and what each wants to see
//   tools.ts       the agents as tools, and the three tools for a task that goes on
//   calls.ts       what all tools do: wait, tell progress, say how the task stands
//
// Nothing is remembered between two requests, so any gateway answers any of them. Who hangs up while a tool works leaves
// its task running: it was accepted (P1).
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import { MAX_VALUE_BYTES } from '../../../contract/limits.ts'
import type { Authenticate } from '../../auth/authenticate.ts'
import type { GatewayContext } from '../../parts.ts'
import { problems } from '../../problem.ts'
import { principalOf } from '../../request-flow.ts'
import { streamServer } from '../rest/open-stream.ts'
import type { ServerSentEvent } from '../rest/sse.ts'
import { whileWaiting } from '../rest/waiting.ts'
import { type Caller, performer, type Work } from './calls.ts'
import { type Asked, answerSchema, failed, isAsked, messageSchema, RpcError } from './messages.ts'
import { greeting, type Revision, revisionOf } from './revisions.ts'
import { createTools, shownTool } from './tools.ts'

export function mcpDoor(context: GatewayContext, authenticate: Authenticate): FastifyPluginAsyncZod {
  const { streams, config } = context
  const toolsFor = createTools(context)
  const perform = performer(context)
  const serveStream = streamServer(context, authenticate)

  function answer(asked: Asked, revision: Revision, caller: Caller): object {
    const hello = greeting(asked, revision)
    if (hello !== undefined) return hello
    if (asked.method !== 'tools/list') throw new RpcError('method_not_found', `There is no method ${asked.method}.`)
    return revision.listed({ tools: toolsFor(caller.reader).map(shownTool) })
  }

  function calling({ params }: Asked, caller: Caller): (stop: AbortSignal) => Work<object> {
    const name = params?.name
    const given = params?.arguments ?? {}
    const tool = toolsFor(caller.reader).find((one) => one.name === name)
    if (tool === undefined) throw new RpcError('invalid_params', `There is no tool ${String(name).slice(0, 200)}.`)
    if (typeof given !== 'object' || Array.isArray(given))
      throw new RpcError('invalid_params', 'arguments: not an object.')
    return (stop) => perform(tool, given as Record<string, unknown>, caller, stop)
  }

  async function* streamed(asked: Asked, revision: Revision, work: Work<object>): AsyncGenerator<ServerSentEvent> {
    const progressToken = asked.params?._meta?.progressToken
    for (;;) {
      const { done, value } = await work.next()
      if (done) return yield message({ id: asked.id, result: revision.result(value) })
      const { number: progress, text } = value
      yield message({ method: 'notifications/progress', params: { progressToken, progress, message: text } })
    }
  }

  return async (app) => {
    const common = problems('value_too_large', 'unsupported_media_type', 'overloaded')
    const wrong = { 'application/json': { schema: answerSchema } }
    const withAnswer = (status: 400 | 404) => ({
      description: 'The protocol’s own error, or a problem.',
      content: { ...common[status]?.content, ...wrong },
    })
    app.post(
      '/mcp',
      {
        config: { role: 'viewer' },
        bodyLimit: MAX_VALUE_BYTES + 64 * 1024,
        schema: {
          tags: ['mcp'],
          summary: 'Speak the Model Context Protocol',
          description: 'Streamable HTTP, revisions 2025-03-26 to 2026-07-28, without sessions. Each agent is a tool.',
          body: messageSchema,
          response: {
            200: {
              description: 'The answer; for a tool call that asks for progress, a stream that ends with it.',
              content: { ...wrong, 'text/event-stream': { schema: z.string() } },
            },
            202: z.undefined().describe('A notification: taken, not answered.'),
            ...common,
            400: withAnswer(400),
            404: withAnswer(404),
          },
        },
      },
      async (request, reply) => {
        refusePages(request, config.corsOrigins)
        const { body, headers } = request
        if (!isAsked(body)) return reply.code(202).send()
        const { id } = body
        const caller = callerOf(request)
        let revision: Revision | undefined
        try {
          revision = revisionOf(body, headers)
          if (body.method !== 'tools/call') {
            return reply.send({ jsonrpc: '2.0', id, result: revision.result(answer(body, revision, caller)) })
          }
          const work = calling(body, caller)
          if (wantsProgress(body, headers.accept)) {
            const speaking = revision
            await serveStream(request, reply, {
              source: (stop) => streamed(body, speaking, work(stop)),
              resume: () => ({}),
            })
            return reply
          }
          const result = await whileWaiting(streams, caller.reader.tenant, reply.raw, (stop) => atTheEnd(work(stop)))
          return reply.send({ jsonrpc: '2.0', id, result: revision.result(result) })
        } catch (thrown) {
          if (!(thrown instanceof RpcError)) throw thrown
          return reply.code(thrown.statusFor(revision)).send(failed(id, thrown))
        }
      },
    )
  }
}

/** A page may speak here only where the operator has said so: its browser sends this header, assistants do not. */
function refusePages({ headers }: FastifyRequest, allowed: string[]): void {
  const { origin } = headers
  if (origin === undefined || allowed.includes(origin)) return
  throw new TroupeError('forbidden', `Pages of ${origin.slice(0, 200)} are not among the allowed origins.`)
}

function callerOf(request: FastifyRequest): Caller {
  const { id: requestId, bodyBytes: bytes, headers } = request
  const { traceparent } = headers
  return {
    reader: principalOf(request),
    requestId,
    bytes,
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
  }
}

function wantsProgress(asked: Asked, accept: string | undefined): boolean {
  return asked.params?._meta?.progressToken !== undefined && (accept ?? '').includes('text/event-stream')
}

function message(content: object): ServerSentEvent {
  return { event: 'message', data: { jsonrpc: '2.0', ...content } }
}

async function atTheEnd(work: Work<object>): Promise<object> {
  for (;;) {
    const { done, value } = await work.next()
    if (done) return value
  }
}
