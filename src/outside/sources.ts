// The file of named sources: {"warehouse": {"url": "postgres://reader:…@host/db", "tenants": ["acme"]}}. It holds
// credentials, so it is a file with its own permissions rather than a setting that every child process inherits.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'
import type { SourceRows, Sources } from '../sdk/index.ts'
import { queryPostgres } from './postgres.ts'

const source = z.strictObject({
  url: z.string().regex(/^postgres(ql)?:\/\//, 'a source is an address that begins with postgres://'),
  /** Who may ask it; every tenant when absent. */
  tenants: z.array(z.string()).min(1).optional(),
  seconds: z.number().positive().max(600).default(30),
  rows: z.int().positive().max(5_000_000).default(500_000),
  megabytes: z.number().positive().max(48).default(32),
})
export type SourceSettings = z.infer<typeof source>

const sourcesFile = z.record(z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'a name is small letters and digits'), source)

export function readSources(file: string): Record<string, SourceSettings> {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    // A parser's message shows what it read, and that may be a password.
    const why = cause instanceof SyntaxError ? 'is not JSON' : `cannot be read: ${(cause as Error).message}`
    throw new TroupeError('configuration_invalid', `TROUPE_SOURCES: ${file} ${why}.`)
  }
  const parsed = sourcesFile.safeParse(content)
  if (parsed.success) return parsed.data
  const [first] = parsed.error.issues
  throw new TroupeError('configuration_invalid', `TROUPE_SOURCES: ${first?.path.join('.')}: ${first?.message}.`)
}

export function createSources(
  known: Record<string, SourceSettings>,
): (use: { tenant: string; signal: AbortSignal }) => Sources {
  return ({ tenant, signal }) => {
    const may = ({ tenants }: SourceSettings) => tenants === undefined || tenants.includes(tenant)
    return {
      async query(name, sql): Promise<SourceRows> {
        const settings = Object.hasOwn(known, name) ? known[name] : undefined
        if (settings === undefined || !may(settings)) {
          const own = Object.keys(known).filter((one) => may(known[one]!))
          const there = own.length === 0 ? 'there is none' : `there is ${own.join(', ')}`
          throw new TroupeError('not_found', `There is no source ${name}; ${there}.`)
        }
        return await queryPostgres(name, settings, sql, signal)
      },
    }
  }
}
