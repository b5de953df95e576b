// question-to-sql: a question in words to SQL by a documented grammar (questions/index.ts), run and answered.
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { profile } from './profile-table.ts'
import { understand, writeSql } from './questions/index.ts'
import { openTables, tableSource } from './tables/index.ts'

export const questionToSql = defineTool({
  name: 'question-to-sql',
  description:
    'Answers questions such as "total revenue by region in 2024" or "top 5 products by growth" with SQL and its rows; says which word it does not understand',
  input: z.object({ table: tableSource, question: z.string().min(1).max(1_000) }),
  output: z.object({
    sql: z.string(),
    columns: z.array(z.string()),
    rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))),
    truncated: z.boolean(),
    assumptions: z.array(z.string()).describe('How an open question was read'),
  }),
  async run({ table, question }, { signal }) {
    using tables = await openTables([table], signal)
    const loaded = tables.list[0]!
    const query = understand(question, await profile(tables, loaded))
    const sql = writeSql(query, loaded.name)
    return { sql, ...(await tables.query(sql, { rows: 1_000 })), assumptions: query.assumptions }
  },
})
