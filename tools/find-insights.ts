// find-insights: what a table says, ranked, each number with the SQL that produces it.
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { discover, insight, planAnalysis } from './insights/index.ts'
import { profile } from './profile-table.ts'
import { openTables, tableSource } from './tables/index.ts'

export const findInsights = defineTool({
  name: 'find-insights',
  description:
    'Finds trends, breaks, seasonality, outliers, driving segments, correlations, concentration and missing periods in a table; every number comes with its SQL',
  input: z.object({
    table: tableSource,
    measure: z.string().optional().describe('Look at this column only'),
    time: z.string().optional().describe('The column that says when; chosen when absent'),
    falseDiscoveryRate: z.number().min(0).max(0.5).default(0.001).describe('The share of chance findings to tolerate'),
    most: z.int().min(1).max(200).default(40),
  }),
  output: z.object({
    table: z.string(),
    grain: z.string().optional(),
    insights: z.array(insight),
    tested: z.number().describe('How many possible findings were tested; the adjustment counts them all'),
  }),
  limits: { time: 120_000 },
  async run({ table, measure, time, falseDiscoveryRate, most }, { signal }) {
    using tables = await openTables([table], signal)
    const loaded = tables.list[0]!
    const plan = await planAnalysis(tables, loaded, await profile(tables, loaded), { measure, time })
    const found = await discover(tables, plan, { falseDiscoveryRate, most })
    return { table: loaded.name, ...(plan.time === undefined ? {} : { grain: plan.time.grain }), ...found }
  },
})
