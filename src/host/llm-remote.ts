// The LLM of a step in a process that has no key: a LangChain chat model like any other, whose calls travel to where
// the key is (llm-served.ts). Its retries, time limit and prices are those of over there.
import type { Usage } from '../contract/task.ts'
import type { Llm } from '../sdk/context.ts'
import type { LlmUse } from './llm.ts'
import type { ChatAnswer, ChatPiece, ChatRequest } from './llm-served.ts'

/** Aborted: the call is given up on both sides. */
export type AskChat = (
  request: ChatRequest,
  signal: AbortSignal,
  onPiece: (piece: ChatPiece) => void,
) => Promise<ChatAnswer>

export function remoteLlm(ask: AskChat): (use: LlmUse) => Llm {
  return (use) => ({
    configured: true,
    async chat(options = {}) {
      const { RemoteChatModel } = await import('./llm-remote-model.ts')
      return new RemoteChatModel({
        async ask(request, given, onPiece) {
          use.signal.throwIfAborted()
          const signal = given === undefined ? use.signal : AbortSignal.any([use.signal, given])
          const answer = await ask({ ...request, options }, signal, onPiece)
          // Throws `budget_exceeded`, as the call that spent it does where the key is.
          use.spend(answer.usage as Usage)
          return answer
        },
      })
    },
  })
}
