// compare-drift: which columns of a table are distributed otherwise than in a reference.
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { compareColumns, driftedColumn } from './quality/index.ts'
import { openTables, tableSource } from './tables/index.ts'

export const compareDrift = defineTool({
  name: 'compare-drift',
  description:
    'Compares a table with a reference: columns missing, new, of another type, or distributed otherwise (stability index, Kolmogorov–Smirnov)',
  input: z.object({ table: tableSource, reference: tableSource }),
  output: z.object({
    drift: z.enum(['none', 'some', 'strong']),
    columns: z.array(driftedColumn),
    rows: z.object({ reference: z.number(), current: z.number() }),
  }),
  limits: { time: 120_000 },
  async run({ table, reference }, { signal }) {
    using tables = await openTables(
      [
        { ...reference, name: 'reference' },
        { ...table, name: 'current' },
      ],
      signal,
    )
    const [before, now] = tables.list as [(typeof tables.list)[number], (typeof tables.list)[number]]
    const columns = await compareColumns(tables, before, now)
    const worst: 'none' | 'some' | 'strong' = columns.some((column) =>
      ['strong', 'missing', 'type'].includes(column.drift),
    )
      ? 'strong'
      : columns.some((column) => column.drift !== 'none')
        ? 'some'
        : 'none'
    return { drift: worst, columns, rows: { reference: before.rowCount, current: now.rowCount } }
  },
})
