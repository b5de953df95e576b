// Every failure leaves as problem+json (RFC 9457) with a stable code. Any thrown value becomes one coded error, once.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ERROR_CODES, type ErrorCode, TroupeError, toErrorRecord } from '../contract/errors.ts'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

export const problemSchema = z
  .object({
    type: z.string().describe('Where the code is explained.'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
    fix: z.string().describe('What to do about it.'),
    instance: z.string().describe('The request’s id, as in the x-request-id header.'),
    context: z.record(z.string(), z.unknown()).optional().describe('Facts: the field, the limit, the rule.'),
    cause: z.unknown().optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details with a stable code.' })

export type Problem = z.infer<typeof problemSchema>

/** Answers of a route that fail, for its schema: the ones every route can give, and its own. */
export function problems(...codes: ErrorCode[]) {
  const everywhere: ErrorCode[] = [
    'invalid_request',
    'unauthenticated',
    'forbidden',
    'request_too_slow',
    'rate_limited',
    'unavailable',
    'draining',
  ]
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set([...everywhere, ...codes])) {
    const status = ERROR_CODES[code][0]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  const content = { 'application/problem+json': { schema: problemSchema } }
  return Object.fromEntries([...byStatus].map(([status, all]) => [status, { description: all.join(', '), content }]))
}

export function problemOf(error: TroupeError, instance: string): Problem {
  const record = toErrorRecord(error)
  const problem: Problem = {
    type: `/errors#${error.code}`,
    title: error.code.replaceAll('_', ' '),
    status: error.status,
    // What went wrong inside is for the logs; the caller gets the id to find it there.
    detail: error.code === 'internal' ? 'The request could not be answered.' : error.message,
    code: error.code,
    fix: error.fix,
    instance,
  }
  if (record.detail !== undefined) problem.context = record.detail
  if (record.cause !== undefined && error.code !== 'internal') problem.cause = record.cause
  return problem
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  return reply.send(refuse(request, reply, thrown))
}

/** Makes the answer a refusal, whose body is returned. */
export function refuse(request: FastifyRequest, reply: FastifyReply, thrown: unknown): Problem {
  const error = codedError(thrown)
  if (error.status >= 500) request.log.error({ err: thrown, code: error.code, requestId: request.id }, error.message)
  if (error.passing) reply.header('retry-after', retryAfter(error))
  if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="troupe"')
  request.errorCode = error.code
  reply.code(error.status).type(PROBLEM_TYPE)
  return problemOf(error, request.id)
}

function retryAfter(error: TroupeError): string {
  const inMs = error.detail?.retryAfterMs
  return String(Math.max(1, Math.ceil((typeof inMs === 'number' ? inMs : 1_000) / 1_000)))
}

const BY_FASTIFY_CODE: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'value_too_large',
  FST_REQ_FILE_TOO_LARGE: 'value_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_INVALID_MULTIPART_CONTENT_TYPE: 'unsupported_media_type',
}

export function codedError(thrown: unknown): TroupeError {
  if (thrown instanceof TroupeError) return thrown
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const issues = thrown.validation.map((issue) => ({
      path: `${thrown.validationContext ?? 'request'}${issue.instancePath}`,
      message: issue.message ?? 'is not valid',
    }))
    const first = issues[0]
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
    return new TroupeError('invalid_request', `${first?.path}: ${first?.message}${more}`, { detail: { issues } })
  }
  const { code, statusCode, message } = thrown as Partial<FastifyError>
  const known = BY_FASTIFY_CODE[code ?? '']
  if (known !== undefined) return new TroupeError(known, message ?? known, { cause: thrown })
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new TroupeError('invalid_request', message ?? 'The request is malformed.', { cause: thrown })
  }
  return new TroupeError('internal', message ?? String(thrown), { cause: thrown })
}
