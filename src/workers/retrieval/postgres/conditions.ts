// Conditions as SQL over `d.metadata`, jsonb. A scalar is looked at as a list of one.
import type { Condition } from '../metadata.ts'

const OPERATORS = { LESS: '<', AT_MOST: '<=', GREATER: '>', AT_LEAST: '>=' } as const

/** Begins with AND, or is empty. Its values are pushed onto `values`, which gives the placeholders their numbers. */
export function whereAll(conditions: readonly Condition[], values: unknown[]): string {
  return conditions.map((condition) => ` AND ${where(condition, values)}`).join('')
}

function where({ field, comparison, values: wanted }: Condition, values: unknown[]): string {
  const place = (value: unknown): string => `$${values.push(value)}`
  const name = `${place(field)}::text`
  const value = `(d.metadata -> ${name})`
  const items = `CASE jsonb_typeof${value} WHEN 'array' THEN ${value} ELSE jsonb_build_array${value} END`
  const exists = (test: string): string => `EXISTS (SELECT 1 FROM jsonb_array_elements(${items}) item WHERE ${test})`
  switch (comparison) {
    case 'PRESENT':
      return `d.metadata ? ${name}`
    case 'ANY_OF':
    case 'NONE_OF': {
      const any = exists(`item = ANY (${place(wanted.map((one) => JSON.stringify(one)))}::text[]::jsonb[])`)
      return comparison === 'ANY_OF' ? any : `NOT ${any}`
    }
    default: {
      const [bound] = wanted
      const operator = OPERATORS[comparison]
      return typeof bound === 'string'
        ? exists(`jsonb_typeof(item) = 'string' AND (item #>> '{}') COLLATE "C" ${operator} ${place(bound)}::text`)
        : exists(`jsonb_typeof(item) = 'number' AND item ${operator} ${place(JSON.stringify(bound))}::text::jsonb`)
    }
  }
}
