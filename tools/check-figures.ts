// check-figures: does a table bear out what is said about it? Each figure is computed again from its SQL, and each
// number in the sentence has to be one of its figures.
import { defineTool, TroupeError } from '@troupe/sdk'
import { z } from 'zod'
import { openTables, type Tables, tableSource } from './tables/index.ts'

const figure = z.object({ name: z.string(), value: z.union([z.number(), z.string(), z.null()]), sql: z.string() })
const statement = z.object({ text: z.string().max(10_000), figures: z.array(figure).max(100).default([]) })

export const checkFigures = defineTool({
  name: 'check-figures',
  description:
    'Checks statements about a table: runs the SQL behind each figure again and finds numbers that have no figure',
  input: z.object({
    table: tableSource,
    statements: z.array(statement).max(500),
    tolerance: z.number().min(0).max(0.5).default(0.000_001).describe('Relative difference that still counts as equal'),
  }),
  output: z.object({
    statements: z.array(
      z.object({
        text: z.string(),
        verdict: z.enum(['supported', 'contradicted', 'unsupported']),
        reasons: z.array(z.string()),
      }),
    ),
  }),
  limits: { time: 120_000 },
  async run({ table, statements, tolerance }, { signal }) {
    using tables = await openTables([table], signal)
    const names = tables.list[0]!.columns.map((column) => column.name)
    const checked = []
    for (const one of statements) checked.push(await check(tables, names, one, tolerance))
    return { statements: checked }
  },
})

async function check(
  tables: Tables,
  columns: string[],
  { text, figures }: z.infer<typeof statement>,
  tolerance: number,
) {
  const contradicted: string[] = []
  for (const { name, value, sql } of figures) {
    try {
      const [row = {}] = (await tables.query(sql, { rows: 1 })).rows
      const found = Object.values(row)[0] ?? null
      if (!equal(value, found, tolerance)) contradicted.push(`${name} is said to be ${value}; the data gives ${found}`)
    } catch (error) {
      if (!(error instanceof TroupeError) || error.code !== 'query_refused') throw error
      contradicted.push(`${name} cannot be computed: ${error.message}`)
    }
  }
  const unsupported = numbersIn(text, columns)
    .filter((shown) => !figures.some((one) => shows(shown, one.value)))
    .map((shown) => `${shown} is the value of no figure`)
  const verdict = contradicted.length > 0 ? 'contradicted' : unsupported.length > 0 ? 'unsupported' : 'supported'
  return { text, verdict: verdict as 'supported', reasons: [...contradicted, ...unsupported] }
}

function equal(said: unknown, found: unknown, tolerance: number): boolean {
  if (typeof said !== 'number' || typeof found !== 'number') return String(said) === String(found)
  return Math.abs(said - found) <= tolerance * Math.max(1e-9, Math.abs(found), Math.abs(said))
}

/** Numbers as written; dates, periods and digits inside names are not numbers about the data. */
function numbersIn(text: string, columns: string[]): string[] {
  const bare = columns.toSorted((a, b) => b.length - a.length).reduce((left, name) => left.replaceAll(name, ' '), text)
  const plain = bare.replaceAll(/\d{4}-(?:Q\d|\d{2}(?:-\d{2})?(?: \d{2})?)/g, ' ')
  return plain.match(/(?<![\w.])-?\d[\d,]*(?:\.\d+)?/g)?.map((number) => number.replace(/,$/, '')) ?? []
}

/** A number shows a value when it is the value, rounded to the digits it is written with. */
function shows(shown: string, value: unknown): boolean {
  const number = Number(shown.replaceAll(',', ''))
  if (typeof value !== 'number') return String(value) === shown
  const decimals = shown.split('.')[1]?.length ?? 0
  const zeros = /^-?[\d,]+$/.test(shown) ? (/0*$/.exec(shown.replaceAll(',', ''))?.[0].length ?? 0) : 0
  return Math.abs(Math.abs(number) - Math.abs(value)) <= 0.500_001 * 10 ** (zeros - decimals)
}
