// Plugins: agents come from packages, ours and outsiders' alike.
//   manifest.ts   what a package says of itself, and whether it fits this Troupe
//   discover.ts   finds packages by keyword and manifest
//   load.ts       imports their agents; a bad package is reported, not fatal
//   cards.ts      an agent as data, for processes that do not run its code
//   registry.ts   the agents this process knows, by name and version
//   added.ts      the packages that `troupe plugin add` added to an installation
export { type AddedPlugin, agentRecords, readAdded, writeAdded } from './added.ts'
export { type AgentRecord, recordOf } from './cards.ts'
export { type AgentPackage, findPackages, readPackage } from './discover.ts'
export { agentsOf, type LoadReport, loadAgents } from './load.ts'
export { AGENT_KEYWORD, NO_PERMISSIONS, type Permissions, SDK_VERSION } from './manifest.ts'
export { AgentRegistry } from './registry.ts'
