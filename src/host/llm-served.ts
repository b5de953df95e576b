// One call of the LLM for a step that runs in another process: what is asked comes as data, the key and the endpoint
// stay here. Only what a chat may say is passed on; an option that could change where the key is sent is not one of it.
import type { BaseMessage } from '@langchain/core/messages'
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'
import type { Usage } from '../contract/task.ts'
import type { Llm } from '../sdk/context.ts'
import type { LlmUse } from './llm.ts'

const json = z.record(z.string(), z.unknown())

export const chatRequest = z.object({
  options: z.object({ temperature: z.number().optional(), maxTokens: z.int().positive().optional() }),
  messages: z.array(z.object({ type: z.enum(['human', 'ai', 'system', 'tool', 'generic']), data: json })).max(10_000),
  call: z.object({
    stop: z.array(z.string()).max(16).optional(),
    tools: z.array(json).max(256).optional(),
    tool_choice: z.union([z.string(), json]).optional(),
    parallel_tool_calls: z.boolean().optional(),
    response_format: json.optional(),
  }),
  stream: z.boolean(),
})

export type ChatRequest = z.infer<typeof chatRequest>

/** A message of the model, or a piece of one, without what only the endpoint's client knows. */
export interface ChatPiece {
  content: unknown
  id?: string
  tool_calls?: unknown[]
  invalid_tool_calls?: unknown[]
  tool_call_chunks?: unknown[]
  usage_metadata?: unknown
  response_metadata?: unknown
}

export interface ChatAnswer {
  /** Absent when it was streamed. */
  message?: ChatPiece
  usage: Usage
}

export async function serveChat(
  llm: (use: LlmUse) => Llm,
  asked: unknown,
  { onPiece, spend, ...use }: LlmUse & { onPiece(piece: ChatPiece): void },
): Promise<ChatAnswer> {
  const request = chatRequest.safeParse(asked)
  if (!request.success) {
    throw new TroupeError('invalid_request', `What the LLM was asked is no chat: ${z.prettifyError(request.error)}`)
  }
  const { options, messages, call, stream } = request.data
  const { mapStoredMessagesToChatMessages } = await import('@langchain/core/messages')
  const usage: Required<Usage> = { inputTokens: 0, outputTokens: 0, costMicros: 0 }
  const counted = (more: Usage) => {
    usage.inputTokens += more.inputTokens ?? 0
    usage.outputTokens += more.outputTokens ?? 0
    usage.costMicros += more.costMicros ?? 0
    spend(more)
  }
  const chat = await llm({ ...use, spend: counted }).chat(definedOf(options))
  const conversation = mapStoredMessagesToChatMessages(messages as never)
  const how = { ...definedOf(call), signal: use.signal } as never
  if (!stream) return { message: pieceOf(await chat.invoke(conversation, how)), usage }
  for await (const piece of await chat.stream(conversation, how)) onPiece(pieceOf(piece))
  return { usage }
}

function pieceOf(message: BaseMessage): ChatPiece {
  const { content, id, response_metadata } = message
  const { tool_calls, invalid_tool_calls, tool_call_chunks, usage_metadata } = message as Partial<ChatPiece>
  const more = { id, response_metadata, tool_calls, invalid_tool_calls, tool_call_chunks, usage_metadata }
  return { content, ...definedOf(more) }
}

function definedOf<Given extends object>(given: Given): { [Key in keyof Given]?: NonNullable<Given[Key]> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never
}
