// How answers become text. In production plain JSON: the doors' types make them fit their schemas, and walking a large
// result a second time would cost more than everything else. In tests each answer is compared with its schema.
import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify'
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'

type Compiler = FastifySerializerCompiler<unknown> & FastifySchemaCompiler<unknown>

export function answerSerializer(check: boolean): Compiler {
  return ((route: { schema: unknown; method?: string; url?: string; httpStatus?: string }) => {
    if (!check || !(route.schema instanceof z.ZodType)) return (answer: unknown) => JSON.stringify(answer)
    const schema = route.schema
    return (answer: unknown) => {
      const text = JSON.stringify(answer)
      // As the caller will read it: what JSON leaves out is not there.
      const read = schema.safeParse(JSON.parse(text))
      if (read.success) return text
      const where = `${route.method} ${route.url} ${route.httpStatus}`
      throw new TroupeError('internal', `${where}: the answer does not fit its schema: ${z.prettifyError(read.error)}`)
    }
  }) as Compiler
}
