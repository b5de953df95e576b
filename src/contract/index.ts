// The contract: words that every room shares. Pure; imports nothing of ours.
//   ids.ts      sortable ids
//   task.ts     a task, its states, its lane
//   events.ts   what can happen to a task; the platform's event streams
//   errors.ts   coded errors, each with what to do
//   refusal.ts  what an isolated plug-in may not do, in words
//   limits.ts   the bounds that protect every process
//   callbacks.ts  who is told when a task ends or needs a person
//   media-types.ts  what a file is, by its name
export * from './callbacks.ts'
export * from './errors.ts'
export * from './events.ts'
export * from './ids.ts'
export * from './limits.ts'
export * from './media-types.ts'
export * from './task.ts'
