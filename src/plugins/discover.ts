// Finds agent packages: folders whose package.json has the keyword `troupe-agent` and names the modules that export
// agents, `"troupe": { "agents": ["./index.ts"] }`.
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { TroupeError } from '../contract/errors.ts'
import { AGENT_KEYWORD, checkFits, type Permissions, parseManifest } from './manifest.ts'

export interface AgentPackage {
  folder: string
  name: string
  version: string
  /** Absolute paths of the modules whose default export is an agent or a list of agents. */
  modules: string[]
  permissions?: Permissions
}

/** The packages directly below these folders (`agents/`, a `node_modules`), scopes included. */
export async function findPackages(folders: string[]): Promise<AgentPackage[]> {
  const found: AgentPackage[] = []
  for (const folder of folders) {
    if (!existsSync(folder)) continue
    for (const entry of (await readdir(folder)).sort()) {
      if (entry.startsWith('.')) continue
      const path = join(folder, entry)
      if (entry.startsWith('@')) found.push(...(await findPackages([path])))
      else if (await isAgentPackage(path)) found.push(await readPackage(path))
    }
  }
  return found
}

export async function readPackage(folder: string): Promise<AgentPackage> {
  const path = join(resolve(folder), 'package.json')
  const manifest = parseManifest(path, await readJson(path))
  checkFits(manifest)
  const { name, version, troupe } = manifest
  const modules = troupe.agents.map((module) => join(resolve(folder), module))
  const missing = modules.find((module) => !existsSync(module))
  if (missing !== undefined) throw new TroupeError('plugin_invalid', `${path} names ${missing}, which does not exist.`)
  const { permissions } = troupe
  return { folder: resolve(folder), name, version, modules, ...(permissions === undefined ? {} : { permissions }) }
}

async function isAgentPackage(folder: string): Promise<boolean> {
  const path = join(folder, 'package.json')
  if (!existsSync(path)) return false
  const manifest = (await readJson(path)) as { keywords?: unknown }
  return Array.isArray(manifest.keywords) && manifest.keywords.includes(AGENT_KEYWORD)
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw new TroupeError('plugin_invalid', `${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
