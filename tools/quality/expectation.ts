// What can be expected of a table. `tolerance` is the share of rows that may break it; `severity` says what it means
// when more do.
import { z } from 'zod'

const cell = z.union([z.string(), z.number(), z.boolean()])
const common = {
  severity: z.enum(['error', 'warning']).default('error'),
  tolerance: z.number().min(0).max(1).default(0),
  source: z.enum(['given', 'inferred']).default('given'),
}
const column = z.string().min(1)

export const expectation = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('column'),
    column,
    type: z.enum(['integer', 'number', 'boolean', 'date', 'timestamp', 'text']).optional(),
    ...common,
  }),
  z.object({ kind: z.literal('filled'), column, ...common }),
  z.object({
    kind: z.literal('range'),
    column,
    min: z.union([z.number(), z.string()]).optional(),
    max: z.union([z.number(), z.string()]).optional(),
    ...common,
  }),
  z.object({ kind: z.literal('set'), column, values: z.array(cell).min(1).max(10_000), ...common }),
  z.object({ kind: z.literal('unique'), columns: z.array(column).min(1).max(10), ...common }),
  z.object({
    kind: z.literal('pattern'),
    column,
    pattern: z.string().min(1).max(500).describe('A regular expression (RE2) for the whole value'),
    ...common,
  }),
  z.object({
    kind: z.literal('compare'),
    left: column,
    operator: z.enum(['<', '<=', '=', '<>', '>=', '>']),
    right: column,
    ...common,
  }),
  z.object({
    kind: z.literal('condition'),
    sql: z.string().min(1).max(2_000).describe('A SQL condition that holds for each row'),
    ...common,
  }),
  z.object({ kind: z.literal('reference'), column, table: z.string(), of: column, ...common }),
  z.object({
    kind: z.literal('fresh'),
    column,
    days: z.number().min(0),
    now: z.string().describe('ISO date or time to count from'),
    ...common,
  }),
  z.object({ kind: z.literal('rows'), min: z.int().min(0).optional(), max: z.int().min(0).optional(), ...common }),
  z.object({
    kind: z.literal('accurate'),
    column,
    table: z.string(),
    of: column,
    key: column.describe('The column that joins both tables'),
    difference: z.number().min(0).default(0),
    ...common,
  }),
])
export type Expectation = z.infer<typeof expectation>

export const DIMENSIONS = ['completeness', 'validity', 'uniqueness', 'consistency', 'timeliness', 'accuracy'] as const
export type Dimension = (typeof DIMENSIONS)[number]

export function dimensionOf(kind: Expectation['kind']): Dimension {
  switch (kind) {
    case 'filled':
    case 'rows':
      return 'completeness'
    case 'column':
    case 'range':
    case 'set':
    case 'pattern':
      return 'validity'
    case 'unique':
      return 'uniqueness'
    case 'compare':
    case 'condition':
    case 'reference':
      return 'consistency'
    case 'fresh':
      return 'timeliness'
    case 'accurate':
      return 'accuracy'
  }
}

/** Patterns that are inferred by a column's name, as people say them. */
export const KNOWN_PATTERNS = {
  email: '[^@\\s]+@[^@\\s]+\\.[^@\\s]+',
  address: 'https?://\\S+',
} as const
const SPOKEN_PATTERNS: Record<string, string> = {
  [KNOWN_PATTERNS.email]: 'an e-mail address',
  [KNOWN_PATTERNS.address]: 'a web address',
}

const SPOKEN_TYPES = {
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  date: 'a date',
  timestamp: 'a date with a time',
  text: 'text',
}

export function describeExpectation(rule: Expectation): string {
  switch (rule.kind) {
    case 'column':
      return rule.type === undefined
        ? `there is a column ${rule.column}`
        : `${rule.column} is ${SPOKEN_TYPES[rule.type]}`
    case 'filled':
      return `${rule.column} is filled`
    case 'range':
      return `${rule.column} is ${[rule.min === undefined ? '' : `at least ${rule.min}`, rule.max === undefined ? '' : `at most ${rule.max}`].filter(Boolean).join(' and ')}`
    case 'set':
      return `${rule.column} is one of ${rule.values.slice(0, 8).join(', ')}${rule.values.length > 8 ? ' …' : ''}`
    case 'unique':
      return `${rule.columns.join(' with ')} is unique`
    case 'pattern':
      return `${rule.column} looks like ${SPOKEN_PATTERNS[rule.pattern] ?? rule.pattern}`
    case 'compare':
      return `${rule.left} ${rule.operator} ${rule.right}`
    case 'condition':
      return rule.sql
    case 'reference':
      return `${rule.column} exists in ${rule.table}.${rule.of}`
    case 'fresh':
      return `${rule.column} is not older than ${rule.days} days on ${rule.now}`
    case 'rows':
      return `there are ${[rule.min === undefined ? '' : `at least ${rule.min}`, rule.max === undefined ? '' : `at most ${rule.max}`].filter(Boolean).join(' and ')} rows`
    case 'accurate':
      return `${rule.column} equals ${rule.table}.${rule.of} for the same ${rule.key}`
  }
}
