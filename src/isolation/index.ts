// Isolated plug-ins: code that nobody here vouches for runs in a process of its own, under Node's permission model and
// without the network, and has neither credentials nor a database. The process is a host like any other, except that
// its journal, bus and services are calls to a guard in the process that started it, and the guard lets through what
// belongs to the plug-in's own tasks.
//   index.ts          this file
//   launch.ts         how Node is told what the process may do
//   wire.ts           messages over a pipe that nobody can choke the reader with
//   channel.ts        calls over the wire, both ways
//   guard.ts          the side that owns journal, bus and services; every call is judged here
//   judgement.ts      what a plug-in's commit may contain
//   served-services.ts  what steps may touch, as far as the manifest declares it
//   watched-tasks.ts  spans and counts of what the process tells of its tasks; whether it may use a tool
//   served-llm.ts     the LLM of such steps: the key stays here
//   accounts.ts       what tasks have spent, by the count of whoever paid
//   declared-agents.ts  the plug-in's side: agents that it may ask
//   remote-parts.ts   the plug-in's side: journal, bus and services that ask the guard
//   links.ts          refuses a package whose links lead out of it
//   others.ts         keeps the process from signalling others; loaded before the plug-in
//   network.ts        refuses every connection that was not declared; loaded before the plug-in
//
// The promises hold because it is a host: commits carry its epoch (P2), its lease ends when it dies, and its tasks go on
// in its successor (P3, P5). docs/adr/0011 says why so, and what this is not.
export { type Channel, createPeer, type Handlers, type Peer } from './channel.ts'
export { DeclaredAgents } from './declared-agents.ts'
export { createGuard, type Guard, type GuardedPlugin } from './guard.ts'
export { type Launch, launchOf } from './launch.ts'
export { remoteParts } from './remote-parts.ts'
export { wireOver } from './wire.ts'
