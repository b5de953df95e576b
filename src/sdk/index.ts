// @troupe/sdk: the only thing an agent package or a tool imports from Troupe.
//   define-agent.ts   defineAgent: name, version, schemas, and a machine or a handler
//   machine-check.ts  refuses at load what a crash would lose
//   step.ts           step and ask: what a machine may invoke
//   tell.ts           an action that messages another task
//   handler.ts        the context of a handler agent
//   context.ts        the context of a step: documents, inference, retrieval, llm, tools
//   llm-tools.ts      a tool as a tool of LangChain
//   tool.ts           defineTool: one thing an agent may do to the world outside its state
export { type ErrorCode, TroupeError } from '../contract/errors.ts'
export type * from './context.ts'
export { type Agent, type AgentDefinition, defineAgent, isAgent, type RestartPolicy } from './define-agent.ts'
export type { Handler, HandlerContext } from './handler.ts'
export { asLlmTool } from './llm-tools.ts'
export {
  type AskDescription,
  ask,
  type EffectDescription,
  effectDescription,
  type RetryPolicy,
  type StepDescription,
  step,
} from './step.ts'
export { type Told, tell, tellDescription } from './tell.ts'
export { defineTool, type Tool, type ToolContext, type ToolDefinition, type ToolLimits } from './tool.ts'
