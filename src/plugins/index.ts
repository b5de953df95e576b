// Plugins: agents come from packages, ours and outsiders' alike.
//   discover.ts   finds packages by keyword and manifest
//   load.ts       imports their agents; a bad package is reported, not fatal
//   registry.ts   the agents of this process, by name and version
export { AGENT_KEYWORD, type AgentPackage, findPackages, readPackage } from './discover.ts'
export { agentsOf, type LoadReport, loadAgents } from './load.ts'
export { AgentRegistry, compareVersions } from './registry.ts'
