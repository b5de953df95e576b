// check-quality: where a table is not as expected, by given rules or by rules that nearly all its rows suggest.
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { tableIssue } from './load-table.ts'
import { profile } from './profile-table.ts'
import {
  checkExpectation,
  describeExpectation,
  expectation,
  inferExpectations,
  scoreOf,
  scores,
  type Violation,
  violation,
} from './quality/index.ts'
import { openTables, tableSource, tableSources } from './tables/index.ts'

export const checkQuality = defineTool({
  name: 'check-quality',
  description:
    'Checks a table against expectations (types, filled, ranges, sets, uniqueness, patterns, cross-column, referential, freshness, accuracy), given or inferred: violations with rows, scores by dimension',
  input: z.object({
    table: tableSource,
    references: tableSources.optional().describe('Tables that expectations of kind reference and accurate name'),
    expectations: z.array(expectation).max(500).default([]),
    infer: z.boolean().default(true).describe('Also infer expectations from the table itself'),
  }),
  output: z.object({
    table: z.string(),
    rowCount: z.number(),
    scores,
    violations: z.array(violation).describe('Expectations with rows that break them, the gravest first'),
    expectations: z.array(violation).describe('All expectations and how they were met'),
    issues: z.array(tableIssue).describe('What was wrong with the file itself, such as ragged rows'),
  }),
  limits: { time: 120_000 },
  async run({ table, references = [], expectations, infer }, { signal }) {
    using tables = await openTables([table, ...references], signal)
    const loaded = tables.list[0]!
    const inferred = infer ? await inferExpectations(tables, loaded, await profile(tables, loaded)) : []
    const checked: Violation[] = []
    // What the caller expects already is not expected twice, nor scored twice.
    const given = new Set(expectations.map(describeExpectation))
    const added = inferred.filter((rule) => !given.has(describeExpectation(rule)))
    for (const rule of [...expectations, ...added]) checked.push(await checkExpectation(tables, loaded, rule))
    const ragged = loaded.issues.filter((issue) => issue.kind === 'ragged_row')
    if (loaded.format === 'csv') {
      checked.push({
        expectation: 'every row has as many cells as the header',
        kind: 'ragged',
        dimension: 'validity',
        columns: [],
        severity: 'warning',
        source: 'inferred',
        holds: ragged.length === 0,
        checked: loaded.rowCount,
        broken: ragged.length,
        examples: ragged
          .slice(0, 10)
          .map((issue) => ({ ...(issue.row === undefined ? {} : { row: issue.row }), value: issue.message })),
      })
    }
    const gravity = (one: Violation) => (one.holds ? 0 : one.severity === 'error' ? 2 : 1)
    return {
      table: loaded.name,
      rowCount: loaded.rowCount,
      scores: scoreOf(checked),
      violations: checked
        .filter((one) => one.broken > 0)
        .sort(
          (a, b) => gravity(b) - gravity(a) || b.broken / Math.max(1, b.checked) - a.broken / Math.max(1, a.checked),
        ),
      expectations: checked,
      issues: loaded.issues,
    }
  },
})
