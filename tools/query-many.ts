// query-many: several read-only SELECTs over the same tables, which are read once.
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { openTables, tableSources } from './tables/index.ts'

export const queryMany = defineTool({
  name: 'query-many',
  description: 'Runs several read-only SQL SELECTs (DuckDB) over the given tables, which are read once',
  input: z.object({
    tables: tableSources,
    queries: z.array(z.object({ name: z.string(), sql: z.string().min(1) })).max(200),
    rows: z.int().min(1).max(10_000).default(1_000).describe('The most rows for each'),
  }),
  output: z.object({
    answers: z.array(
      z.object({
        name: z.string(),
        columns: z.array(z.string()),
        rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))),
        truncated: z.boolean(),
      }),
    ),
  }),
  limits: { time: 120_000 },
  async run({ tables: sources, queries, rows }, { signal }) {
    using tables = await openTables(sources, signal)
    const answers = []
    for (const { name, sql } of queries) answers.push({ name, ...(await tables.query(sql, { rows })) })
    return { answers }
  },
})
