// What the policy lets in and out, in the request flow: inputs before the desk, results before they leave.
//   screening.ts       this file: applies the policy to JSON values and documents
//   policy.ts          the policy file, its defaults
//   injection.ts       heuristics for prompt injection
//   personal-data.ts   finds and masks personal data
import { TroupeError } from '../../contract/errors.ts'
import type { Principal } from '../auth/principal.ts'
import { findInjection, type InjectionFinding } from './injection.ts'
import { maskPersonalData } from './personal-data.ts'
import type { InputPolicy, Policy } from './policy.ts'

export interface Screening {
  /** Throws `input_refused` or `value_too_large`; gives what was found when the policy only flags. */
  input(agent: string, value: unknown, bytes: number): InjectionFinding | undefined
  document(mime: string): void
  /** The value as this reader may see it. */
  output<Value>(reader: Principal, value: Value): Value
  /** Whether anything is masked for this reader: text that arrives in pieces must then be withheld. */
  masksFor(reader: Principal): boolean
}

export function createScreening(policy: Policy): Screening {
  const masksFor = (reader: Principal) => policy.output.mask.length > 0 && policy.output.roles.includes(reader.role)

  return {
    input(agent, value, bytes) {
      const rules: InputPolicy = Object.hasOwn(policy.agents, agent) ? policy.agents[agent]! : policy.input
      if (bytes > rules.maxBytes) {
        throw new TroupeError('value_too_large', `The input has ${bytes} bytes; the policy allows ${rules.maxBytes}.`, {
          detail: { bytes, limit: rules.maxBytes },
        })
      }
      if (rules.injection.action === 'off') return undefined
      const finding = findInjection(stringsIn(value))
      if (finding.score < rules.injection.threshold) return undefined
      if (rules.injection.action === 'flag') return finding
      throw new TroupeError('input_refused', `The input looks like a prompt injection: ${finding.rules.join(', ')}.`, {
        detail: { rules: finding.rules, score: Math.round(finding.score * 100) / 100 },
      })
    },

    document(mime) {
      const family = `${mime.split('/')[0]}/*`
      if (!policy.documents.refusedTypes.some((refused) => refused === mime || refused === family)) return
      throw new TroupeError('input_refused', `Documents of the type ${mime} are refused by the policy.`, {
        detail: { rule: 'documents.refusedTypes', mime },
      })
    },

    output(reader, value) {
      return masksFor(reader) ? masked(value, policy.output.mask) : value
    },

    masksFor,
  }
}

/** Values, and keys as well: an attack may stand in either. */
function stringsIn(root: unknown): string[] {
  const found: string[] = []
  const waiting: unknown[] = [root]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value === 'string') found.push(value)
    else if (Array.isArray(value)) for (const inner of value) waiting.push(inner)
    else if (typeof value === 'object' && value !== null) {
      for (const key of Object.keys(value)) {
        if (key.length > 20) found.push(key)
        waiting.push((value as Record<string, unknown>)[key])
      }
    }
  }
  return found
}

/** A copy: the value may be shared with a cache or another reader. Depth is bounded where values come in. */
function masked<Value>(value: Value, kinds: Policy['output']['mask']): Value {
  if (typeof value === 'string') return maskPersonalData(value, kinds) as Value
  if (Array.isArray(value)) return value.map((inner) => masked(inner, kinds)) as Value
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [maskPersonalData(key, kinds), masked(inner, kinds)])
  return Object.fromEntries(entries) as Value
}
