// @troupe/sdk/testing: run an agent without infrastructure, by the real interpreter on a real journal in a temporary
// folder. Nothing of Troupe is replaced; what is faked is the far side (workers, documents, LLM); durable timers can be hurried.
//   index.ts             this file
//   run-agent.ts         runAgent: one task, from input to end
//   crash-everywhere.ts  crashEverywhere: the same task, killed at each commit in turn
//   explore.ts           explore: the states of a machine, and those never reached
//   fakes.ts             services for a test: documents in memory, scripted workers
export { type CrashReport, crashEverywhere } from './crash-everywhere.ts'
export { type Exploration, explore } from './explore.ts'
export { type TestServices, testServices } from './fakes.ts'
export { type RunOptions, runAgent, type TaskResult } from './run-agent.ts'
