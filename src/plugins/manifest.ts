// What an agent package says of itself in its package.json, and whether it fits this Troupe.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { satisfies, validRange } from 'semver'
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'

export const AGENT_KEYWORD = 'troupe-agent'

const range = z.string().refine((text) => validRange(text) !== null, 'a range of versions, like "^1.0.0"')

const permissionsSchema = z.strictObject({
  /** `host:port` it may connect to. */
  network: z.array(z.string().regex(/^[^\s:/]+:\d+$/, 'a host and a port, like "api.example.com:443"')).default([]),
  files: z
    .strictObject({ read: z.array(z.string()).default([]), write: z.array(z.string()).default([]) })
    .default({ read: [], write: [] }),
  /** Names of tools that its steps may call. */
  tools: z.array(z.string()).default([]),
  /** Agents that its tasks may ask. */
  agents: z.array(z.string()).default([]),
  /** What else its steps may touch. */
  services: z.array(z.enum(['documents', 'inference', 'retrieval', 'sources', 'web'])).default([]),
  /** Its steps may ask the LLM; the key stays with the host. */
  llm: z.boolean().default(false),
})

export type Permissions = z.infer<typeof permissionsSchema>

const manifestSchema = z.object({
  name: z.string().min(1),
  version: z.string().min(1),
  keywords: z.array(z.string()).default([]),
  engines: z.object({ node: range.optional(), troupe: range.optional() }).default({}),
  dependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
  troupe: z.object({
    agents: z.array(z.string().startsWith('./', 'a path within the package, like "./index.ts"')).min(1),
    permissions: permissionsSchema.optional(),
  }),
})

export type Manifest = z.infer<typeof manifestSchema>

export const NO_PERMISSIONS: Permissions = permissionsSchema.parse({})

export function parseManifest(path: string, content: unknown): Manifest {
  const manifest = manifestSchema.safeParse(content)
  if (manifest.success) return manifest.data
  throw new TroupeError('plugin_invalid', `${path} is not an agent package’s: ${z.prettifyError(manifest.error)}`)
}

const SDK = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'sdk', 'package.json'), 'utf8')) as {
  version: string
}
/** Of this Troupe and its SDK: they are released together. */
export const SDK_VERSION = SDK.version

/** Refuses a package that was written for another Node, Troupe or SDK, before any of its code runs. */
export function checkFits({ name, engines, dependencies, peerDependencies }: Manifest): void {
  const wanted = [
    ['engines.node', engines.node, process.versions.node, 'Node'],
    ['engines.troupe', engines.troupe, SDK_VERSION, 'Troupe'],
    ['@troupe/sdk', sdkRange(peerDependencies) ?? sdkRange(dependencies), SDK_VERSION, '@troupe/sdk'],
  ] as const
  for (const [field, accepted, version, what] of wanted) {
    if (accepted === undefined || satisfies(version, accepted, { includePrerelease: true })) continue
    throw new TroupeError(
      'plugin_invalid',
      `${name} asks for ${what} ${accepted} (${field}); this is ${version}. Install a version of the package that fits.`,
    )
  }
}

/** A path (`file:…`, `workspace:…`) or a tag says nothing of a version. */
function sdkRange(dependencies: Record<string, string>): string | undefined {
  const named = dependencies['@troupe/sdk']
  return named !== undefined && validRange(named) !== null ? named : undefined
}
