// load-table: what a file holds as a table: its columns and their types, its first rows, and what is wrong with it.
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { openTables, sql, tableSource } from './tables/index.ts'

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()])
export const tableIssue = z.object({
  kind: z.enum(['ragged_row', 'bad_value', 'duplicate_column', 'ambiguous_dates']),
  row: z.number().optional(),
  column: z.string().optional(),
  value: z.string().optional(),
  message: z.string(),
})

export const loadTable = defineTool({
  name: 'load-table',
  description:
    'Reads a CSV, XLSX, JSON or Parquet file as a table: columns with types, first rows, and problems by row',
  input: z.object({ table: tableSource, rows: z.int().min(0).max(10_000).default(20) }),
  output: z.object({
    name: z.string(),
    format: z.string(),
    rowCount: z.number(),
    columns: z.array(
      z.object({ name: z.string(), type: z.enum(['integer', 'number', 'boolean', 'date', 'timestamp', 'text']) }),
    ),
    rows: z.array(z.record(z.string(), cell)).describe('The first rows with typed values; dates are ISO text'),
    issues: z.array(tableIssue),
    issueCount: z.number(),
  }),
  async run({ table, rows }, { signal }) {
    using tables = await openTables([table], signal)
    const [loaded] = tables.list
    const first = await tables.query(`SELECT * FROM ${sql.identifier(loaded!.name)} LIMIT ${rows}`)
    return { ...loaded!, rows: first.rows }
  },
})
