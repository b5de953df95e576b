// query-table: one read-only SELECT over the given tables, within limits of time, memory and rows.
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { openTables, tableSources } from './tables/index.ts'

export const queryTable = defineTool({
  name: 'query-table',
  description: 'Runs one read-only SQL SELECT (DuckDB) over the given tables; files, network and writes are refused',
  input: z.object({
    tables: tableSources,
    sql: z.string().min(1),
    rows: z.int().min(1).max(10_000).default(1_000).describe('The most rows to answer'),
    time: z.int().min(1).max(30_000).default(10_000).describe('Milliseconds after which the query is stopped'),
  }),
  output: z.object({
    columns: z.array(z.string()),
    rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))),
    truncated: z.boolean(),
  }),
  async run({ tables: sources, sql, rows, time }, { signal }) {
    using tables = await openTables(sources, signal)
    return await tables.query(sql, { rows, time })
  },
})
