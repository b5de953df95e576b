// A tool of Troupe as a tool of LangChain, from the same definition: an LLM that may call it gets the same schema,
// limits, abort signal and span as an agent's own code.
import type { StructuredToolInterface } from '@langchain/core/tools'
import type { StepContext } from './context.ts'
import type { Tool } from './tool.ts'

export async function asLlmTool<Input, Output>(
  tool: Tool<Input, Output>,
  ctx: Pick<StepContext, 'tool'>,
): Promise<StructuredToolInterface> {
  const { tool: make } = await import('@langchain/core/tools')
  const call = async (input: unknown) => JSON.stringify(await ctx.tool(tool, input))
  return make(call as never, { name: tool.name, description: tool.description, schema: tool.input as never }) as never
}
