// @troupe/sdk: the only thing an agent package or a tool imports from Troupe.
//   tool.ts          defineTool: one thing an agent may do to the world outside its state
export { TroupeError, type ErrorCode } from '../contract/errors.ts'
export { defineTool, type Tool, type ToolContext, type ToolDefinition, type ToolLimits } from './tool.ts'
