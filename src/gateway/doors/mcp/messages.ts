// JSON-RPC 2.0, as much of it as the protocol uses: requests, notifications, answers.
import { z } from 'zod'
import type { Revision } from './revisions.ts'

const idSchema = z.union([z.string().max(200), z.int()])

export const messageSchema = z
  .looseObject({
    jsonrpc: z.literal('2.0'),
    id: idSchema.optional().describe('Absent: a notification.'),
    method: z.string().max(200).optional(),
    params: z
      .looseObject({ _meta: z.looseObject({ progressToken: idSchema.optional() }).optional() })
      .optional()
      .describe('Of `tools/call`: `name` and `arguments`.'),
  })
  .meta({ id: 'McpMessage' })

export type Message = z.output<typeof messageSchema>
export type Asked = Message & { id: string | number; method: string }

export const answerSchema = z
  .looseObject({
    jsonrpc: z.literal('2.0'),
    id: idSchema,
    result: z.looseObject({}).optional(),
    error: z.object({ code: z.int(), message: z.string(), data: z.unknown().optional() }).optional(),
  })
  .meta({ id: 'McpAnswer' })

/** Notifications are not answered, and we never ask, so that no answer is for us. */
export function isAsked(message: Message): message is Asked {
  return message.id !== undefined && message.method !== undefined
}

/** Code, and the HTTP status that the stateless revisions want to see with it. */
const ERRORS = {
  method_not_found: [-32601, 404],
  invalid_params: [-32602, 400],
  header_mismatch: [-32020, 400],
  unsupported_version: [-32022, 400],
} as const

/** What is wrong with the call itself. What goes wrong within a tool is a result, which the assistant can read. */
export class RpcError extends Error {
  readonly code: number
  readonly data: unknown
  readonly #status: number

  constructor(kind: keyof typeof ERRORS, message: string, data?: unknown) {
    super(message)
    ;[this.code, this.#status] = ERRORS[kind]
    this.data = data
  }

  /** Earlier revisions answer a call that arrived with 200, whatever it says; where no revision was found, 400. */
  statusFor(revision: Revision | undefined): 200 | 400 | 404 {
    if (revision?.stateless === false) return 200
    return this.#status === 404 ? 404 : 400
  }
}

export function failed(id: string | number, { code, message, data }: RpcError): z.output<typeof answerSchema> {
  return { jsonrpc: '2.0', id, error: data === undefined ? { code, message } : { code, message, data } }
}
