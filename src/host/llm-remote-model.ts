// LangChain's side of llm-remote.ts; imported when a step first asks for a model.
import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager'
import type { BaseLanguageModelInput } from '@langchain/core/language_models/base'
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BindToolsInput,
} from '@langchain/core/language_models/chat_models'
import { AIMessage, AIMessageChunk, type BaseMessage } from '@langchain/core/messages'
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs'
import type { Runnable } from '@langchain/core/runnables'
import { convertToOpenAITool } from '@langchain/core/utils/function_calling'
import type { ChatAnswer, ChatPiece, ChatRequest } from './llm-served.ts'

interface Options extends BaseChatModelCallOptions {
  tools?: ChatRequest['call']['tools']
  parallel_tool_calls?: boolean
  response_format?: Record<string, unknown>
}

type Ask = (
  request: Omit<ChatRequest, 'options'>,
  signal: AbortSignal | undefined,
  onPiece: (piece: ChatPiece) => void,
) => Promise<ChatAnswer>

export class RemoteChatModel extends BaseChatModel<Options, AIMessageChunk> {
  readonly #ask: Ask

  constructor({ ask }: { ask: Ask }) {
    // It is tried again where the key is.
    super({ maxRetries: 0 })
    this.#ask = ask
  }

  _llmType(): string {
    return 'troupe'
  }

  override bindTools(
    tools: BindToolsInput[],
    more?: Partial<Options>,
  ): Runnable<BaseLanguageModelInput, AIMessageChunk, Options> {
    const offered = tools.map((tool) => convertToOpenAITool(tool as never) as unknown as Record<string, unknown>)
    return this.withConfig({ tools: offered, ...more } as Partial<Options>)
  }

  async _generate(messages: BaseMessage[], options: this['ParsedCallOptions']): Promise<ChatResult> {
    const { message } = await this.#ask(requestOf(messages, options, false), options.signal, () => {})
    const answer = new AIMessage(message as never)
    return { generations: [{ text: answer.text, message: answer }] }
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this['ParsedCallOptions'],
    run?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const pieces: ChatPiece[] = []
    let more = Promise.withResolvers<void>()
    const asked = this.#ask(requestOf(messages, options, true), options.signal, (piece) => {
      pieces.push(piece)
      more.resolve()
    })
    let over = false
    const end = () => {
      over = true
      more.resolve()
    }
    asked.then(end, end)
    while (!over || pieces.length > 0) {
      const piece = pieces.shift()
      if (piece === undefined) {
        await more.promise
        more = Promise.withResolvers()
        if (over) more.resolve()
        continue
      }
      const message = new AIMessageChunk(piece as never)
      const chunk = new ChatGenerationChunk({ message, text: message.text })
      yield chunk
      await run?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk })
    }
    await asked
  }
}

function requestOf(
  messages: BaseMessage[],
  { stop, tools, tool_choice, parallel_tool_calls, response_format }: Options,
  stream: boolean,
): Omit<ChatRequest, 'options'> {
  const call = { stop, tools, tool_choice, parallel_tool_calls, response_format } as ChatRequest['call']
  return { messages: messages.map((message) => message.toDict() as never), call, stream }
}
