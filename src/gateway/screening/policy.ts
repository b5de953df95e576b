// The screening policy: what may come in, what may go out. A JSON file; what it leaves out has the default below.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { DELIVERY_PAUSES_SECONDS } from '../../contract/callbacks.ts'
import { TroupeError } from '../../contract/errors.ts'
import { MAX_VALUE_BYTES } from '../../contract/limits.ts'
import { ROLES } from '../auth/principal.ts'
import { PERSONAL_DATA_KINDS } from './personal-data.ts'

const injectionSchema = z.strictObject({
  action: z.enum(['off', 'flag', 'refuse']).default('refuse').describe('flag: accepted, but noted in the audit trail'),
  threshold: z.number().min(0).max(1).default(0.75).describe('Scores at or above it count as an attack.'),
})

const inputSchema = z.strictObject({
  injection: injectionSchema.prefault({}),
  maxBytes: z.int().min(1).max(MAX_VALUE_BYTES).default(MAX_VALUE_BYTES),
})

export const policySchema = z.strictObject({
  input: inputSchema.prefault({}),
  agents: z
    .record(z.string(), inputSchema)
    .default({})
    .describe('Instead of `input`, for one agent: one that reads hostile mail by profession may want `flag`.'),
  documents: z
    .strictObject({
      refusedTypes: z
        .array(z.string())
        .default([
          'application/x-msdownload',
          'application/x-elf',
          'application/x-mach-binary',
          'application/vnd.android.package-archive',
          'application/java-vm',
          'application/x-ms-shortcut',
        ])
        .describe('Media types, found by content and by name; `image/*` names a family.'),
    })
    .prefault({}),
  output: z
    .strictObject({
      mask: z.array(z.enum(PERSONAL_DATA_KINDS)).default([]).describe('Kinds of personal data that are masked.'),
      roles: z.array(z.enum(ROLES)).default(['viewer']).describe('For readers of these roles.'),
    })
    .prefault({}),
  webhooks: z
    .strictObject({
      private: z
        .array(z.string())
        .default([])
        .describe('Callbacks may go to what begins with one of these, also within private networks and over http.'),
      pauses: z
        .array(z.number().min(0).max(86_400))
        .max(20)
        .default(DELIVERY_PAUSES_SECONDS)
        .describe('Seconds between the attempts of a delivery; after the last one it has failed.'),
    })
    .prefault({}),
})

export type Policy = z.output<typeof policySchema>
export type InputPolicy = Policy['input']

export function loadPolicy(file: string | undefined): Policy {
  if (file === undefined) return policySchema.parse({})
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new TroupeError(
      'configuration_invalid',
      `The policy file ${file} cannot be read: ${(error as Error).message}`,
    )
  }
  const parsed = policySchema.safeParse(json)
  if (!parsed.success) {
    throw new TroupeError('configuration_invalid', `The policy file ${file}: ${z.prettifyError(parsed.error)}`)
  }
  return parsed.data
}
