// A query parameter that a route does not know is refused by name: `?staus=failed`, silently ignored, answers with
// everything, and its caller takes it for what was asked for.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The query parameters of a route under /v1, out of its schema. */
    query?: readonly string[]
  }
}

export function rememberQueryNames(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    // Probes and pages are asked by machines that add what they like.
    if (!route.url.startsWith('/v1')) return
    const { querystring } = route.schema ?? {}
    if (querystring !== undefined && !(querystring instanceof z.ZodObject)) {
      throw new TroupeError('configuration_invalid', `The query of ${route.url} is not an object of parameters.`)
    }
    route.config = { ...route.config, query: Object.keys(querystring?.shape ?? {}) }
  })
}

export function refuseUnknownQuery(request: FastifyRequest, known: readonly string[] | undefined): void {
  if (known === undefined || !request.url.includes('?')) return
  for (const parameter of Object.keys(request.query as object)) {
    if (known.includes(parameter)) continue
    const nearest = nearestOf(parameter, known)
    const hint =
      known.length === 0
        ? ' It takes none.'
        : nearest === undefined
          ? ` It takes ${known.join(', ')}.`
          : ` Did you mean ${nearest}?`
    const path = request.url.split('?', 1)[0]
    throw new TroupeError(
      'invalid_request',
      `${path} takes no query parameter ${JSON.stringify(parameter.slice(0, 100))}.${hint}`,
      { detail: { parameter: parameter.slice(0, 100), known, ...(nearest === undefined ? {} : { nearest }) } },
    )
  }
}

/** A slip of the finger: at most a third of its letters differ. */
function nearestOf(given: string, known: readonly string[]): string | undefined {
  if (given.length > 50) return undefined
  const [nearest] = known
    .map((name) => ({ name, slips: slipsBetween(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, slips }) => slips <= Math.max(1, Math.floor(name.length / 3)))
    .sort((left, right) => left.slips - right.slips)
  return nearest?.name
}

/** Letters to add, drop or replace (Levenshtein). */
function slipsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let at = 1; at <= from.length; at++) {
    const next = [at]
    for (let other = 1; other <= to.length; other++) {
      const same = from[at - 1] === to[other - 1] ? 0 : 1
      next.push(Math.min(row[other]! + 1, next[other - 1]! + 1, row[other - 1]! + same))
    }
    row = next
  }
  return row[to.length]!
}
