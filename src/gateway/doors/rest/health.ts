// For probes and scrapers: is the process alive, may it get work, what does it count. No credential, no tenant's data.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { TroupeError, toTroupeError } from '../../../contract/errors.ts'
import type { GatewayContext } from '../../parts.ts'
import { problemSchema } from '../../problem.ts'

/** A probe that gets no answer for longer is a failed one anyway. */
const PATIENCE_MS = 2_000

const notReady = {
  description: 'draining, disk_full, unavailable',
  content: { 'application/problem+json': { schema: problemSchema } },
}

export function healthDoor(context: GatewayContext, isDraining: () => boolean): FastifyPluginAsyncZod {
  const { journal, bus, metrics, streams, telemetry, outOfSpace } = context

  return async (app) => {
    app.get(
      '/healthz',
      {
        // Some probes ask with HEAD.
        exposeHeadRoute: true,
        schema: {
          tags: ['operations'],
          summary: 'The process lives',
          security: [],
          response: { 200: z.object({ status: z.literal('alive') }) },
        },
      },
      async () => ({ status: 'alive' as const }),
    )

    app.get(
      '/readyz',
      {
        exposeHeadRoute: true,
        schema: {
          tags: ['operations'],
          summary: 'The process may be given work',
          security: [],
          response: { 200: z.object({ status: z.literal('ready') }), 503: notReady },
        },
      },
      async () => {
        if (isDraining()) throw new TroupeError('draining', 'This gateway is shutting down.')
        const full = outOfSpace?.()
        if (full !== undefined) throw full
        await within(PATIENCE_MS, journal.now(), 'The journal does not answer.')
        const state = bus.status()
        if (!state.connected) throw new TroupeError('unavailable', `The bus is not connected: ${state.detail ?? ''}`)
        return { status: 'ready' as const }
      },
    )

    app.get(
      '/metrics',
      {
        schema: {
          tags: ['operations'],
          summary: 'Counters in Prometheus’ text format',
          security: [],
          response: { 200: { description: 'Counters', content: { 'text/plain': { schema: z.string() } } } },
        },
      },
      async (_request, reply) => {
        const gauges: Record<string, number> = { troupe_gateway_streams_open: streams.count }
        // A journal that is away is what the scraper must be able to see.
        const counts = await within(PATIENCE_MS, journal.counts(), 'The journal does not answer.').catch(
          () => undefined,
        )
        gauges.troupe_journal_up = counts === undefined ? 0 : 1
        for (const { agent, state, tasks } of counts ?? [])
          gauges[`troupe_tasks{agent="${agent}",state="${state}"}`] = tasks
        const more = (await telemetry?.metrics?.()) ?? ''
        return reply.type('text/plain; version=0.0.4; charset=utf-8').send(metrics.text(gauges) + more)
      },
    )
  }
}

async function within<Answer>(ms: number, answer: Promise<Answer>, otherwise: string): Promise<Answer> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new TroupeError('unavailable', otherwise)), ms)
  try {
    return await Promise.race([answer, late.promise])
  } catch (error) {
    throw toTroupeError(error, 'unavailable')
  } finally {
    clearTimeout(timer)
  }
}
