// Conditions as SQL over `d.metadata`, JSON text. json_each gives a list's items and a scalar alike, each with its type.
import type { SQLInputValue } from 'node:sqlite'
import type { Condition, Scalar } from '../metadata.ts'

export interface Where {
  /** Begins with AND, or is empty. */
  sql: string
  values: SQLInputValue[]
}

const OPERATORS = { LESS: '<', AT_MOST: '<=', GREATER: '>', AT_LEAST: '>=' } as const

export function whereAll(conditions: readonly Condition[]): Where {
  const all: Where = { sql: '', values: [] }
  for (const condition of conditions) {
    const { sql, values } = where(condition)
    all.sql += ` AND ${sql}`
    all.values.push(...values)
  }
  return all
}

function where({ field, comparison, values }: Condition): Where {
  const path = `$."${field}"`
  const exists = (test: string): string => `EXISTS (SELECT 1 FROM json_each(d.metadata, ?) item WHERE ${test})`
  switch (comparison) {
    case 'PRESENT':
      return { sql: 'json_type(d.metadata, ?) IS NOT NULL', values: [path] }
    case 'ANY_OF':
    case 'NONE_OF': {
      const any = exists(values.map((value) => compare(value, '=')).join(' OR '))
      return { sql: comparison === 'ANY_OF' ? any : `NOT ${any}`, values: [path, ...values.map(bound)] }
    }
    default:
      return { sql: exists(compare(values[0]!, OPERATORS[comparison])), values: [path, ...values.map(bound)] }
  }
}

function compare(value: Scalar, operator: string): string {
  if (typeof value === 'string') return `(item.type = 'text' AND item.atom ${operator} ?)`
  if (typeof value === 'number') return `(item.type IN ('integer', 'real') AND item.atom ${operator} ?)`
  return 'item.type = ?'
}

function bound(value: Scalar): SQLInputValue {
  return typeof value === 'boolean' ? String(value) : value
}
