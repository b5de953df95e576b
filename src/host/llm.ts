// The LLM of a step: a LangChain chat model at any OpenAI-compatible endpoint, metered against the task's budget.
// LangChain takes over a second to import, so it is imported when the first step asks for a model.
//   llm.ts               this file
//   llm-remote.ts        the same for steps in a process that has no key; llm-remote-model.ts: LangChain's side of it
//   llm-served.ts        the other side, where the key is
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import type { LLMResult } from '@langchain/core/outputs'
import { TroupeError } from '../contract/errors.ts'
import type { Usage } from '../contract/task.ts'
import type { Llm } from '../sdk/context.ts'

export interface LlmSettings {
  baseUrl: string
  model: string
  apiKey?: string
  /** Money for a million tokens, in the currency budgets are kept in. */
  price?: { input: number; output: number }
  /** Milliseconds for one call. Default 60 s. */
  timeout?: number
}

export interface LlmUse {
  signal: AbortSignal
  /** Of the span that the calls belong below; absent: the active one. */
  traceparent?: string
  /** Throws `budget_exceeded` when this was too much. */
  spend(usage: Usage): void
}

/** Is told of each call: the boot file opens a span here. */
export type WatchCall = (call: {
  model: string
  url: string
  temperature?: number
  maxTokens?: number
  traceparent?: string
}) => WatchedCall

export interface WatchedCall {
  answered(answer: {
    inputTokens: number
    outputTokens: number
    model?: string
    id?: string
    finishReasons: string[]
  }): void
  failed(error: unknown): void
}

/** Tries within one call, for 429 and cut connections; the step's own retries come on top. */
const CALL_RETRIES = 2

export function createLlm(settings: LlmSettings | undefined, watch?: WatchCall): (use: LlmUse) => Llm {
  if (settings === undefined) return () => absentLlm
  return (use) => ({
    configured: true,
    async chat({ temperature, maxTokens } = {}): Promise<BaseChatModel> {
      const { ChatOpenAI } = await import('@langchain/openai')
      const asked = {
        model: settings.model,
        url: settings.baseUrl,
        ...(use.traceparent === undefined ? {} : { traceparent: use.traceparent }),
        ...(temperature === undefined ? {} : { temperature }),
        ...(maxTokens === undefined ? {} : { maxTokens }),
      }
      const calls = new Map<string, WatchedCall>()
      const settled = (runId: string) => {
        const call = calls.get(runId)
        calls.delete(runId)
        return call
      }
      return new ChatOpenAI({
        model: settings.model,
        // An endpoint without authentication still wants a key to be there.
        apiKey: settings.apiKey ?? 'none',
        configuration: { baseURL: settings.baseUrl },
        timeout: settings.timeout ?? 60_000,
        maxRetries: CALL_RETRIES,
        streamUsage: true,
        callbacks: [
          {
            // Awaited by LangChain, so a spent budget fails the call that spent it.
            awaitHandlers: true,
            raiseError: true,
            name: 'troupe-meter',
            handleLLMStart(_llm: unknown, _prompts: string[], runId: string) {
              use.signal.throwIfAborted()
              if (watch !== undefined) calls.set(runId, watch(asked))
            },
            handleLLMEnd(result: LLMResult, runId: string) {
              settled(runId)?.answered({ ...tokensOf(result), ...answerOf(result) })
              use.spend(usageOf(result, settings.price))
            },
            handleLLMError: (error: unknown, runId: string) => settled(runId)?.failed(error),
          },
        ],
        ...(temperature === undefined ? {} : { temperature }),
        ...(maxTokens === undefined ? {} : { maxTokens }),
      })
    },
  })
}

export const absentLlm: Llm = {
  configured: false,
  chat: async () => {
    throw new TroupeError('llm_not_configured', 'No LLM is configured.')
  },
}

function usageOf(result: LLMResult, price: LlmSettings['price']): Usage {
  const { inputTokens, outputTokens } = tokensOf(result)
  // Money for a million tokens is millionths of it for one.
  const costMicros = Math.ceil(inputTokens * (price?.input ?? 0) + outputTokens * (price?.output ?? 0))
  return { inputTokens, outputTokens, costMicros }
}

interface Answer {
  usage_metadata?: { input_tokens?: number; output_tokens?: number }
  id?: string
  response_metadata?: { model_name?: string; finish_reason?: string }
}

function messageOf(result: LLMResult): Answer {
  return (result.generations[0]?.[0] as { message?: Answer } | undefined)?.message ?? {}
}

function tokensOf(result: LLMResult): { inputTokens: number; outputTokens: number } {
  const { input_tokens: inputTokens = 0, output_tokens: outputTokens = 0 } = messageOf(result).usage_metadata ?? {}
  return { inputTokens, outputTokens }
}

function answerOf(result: LLMResult): { model?: string; id?: string; finishReasons: string[] } {
  const { id, response_metadata: { model_name: model, finish_reason: reason } = {} } = messageOf(result)
  return {
    ...(model === undefined ? {} : { model }),
    ...(id === undefined ? {} : { id }),
    finishReasons: reason === undefined ? [] : [reason],
  }
}
