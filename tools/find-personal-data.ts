// find-personal-data: where a table or a text holds personal data or secrets, by kind, with masked examples. Values are
// never shown whole: the finding must not become the leak.
import { defineTool, TroupeError } from '@troupe/sdk'
import { z } from 'zod'
import { maskValue } from './compliance/mask.ts'
import { findSecrets, SECRET_KINDS } from './compliance/secrets.ts'
import { LIMITS } from './documents/document.ts'
import { ENTITY_KINDS, PERSONAL } from './entities/entity.ts'
import { recogniseEntities } from './recognise-entities.ts'
import { openTables, sql, type Tables, tableSource } from './tables/index.ts'

const MOST = { values: 5_000, cell: 2_000, examples: 5 } as const
const CONFIDENCE = 0.6

const finding = z.object({
  kind: z.enum([...ENTITY_KINDS, ...SECRET_KINDS]),
  secret: z.boolean(),
  where: z.string().describe('The column, or "text"'),
  count: z.number(),
  share: z.number().optional().describe('Of the values looked at'),
  examples: z.array(z.object({ row: z.number().optional(), masked: z.string() })),
})

export const findPersonalData = defineTool({
  name: 'find-personal-data',
  description:
    'Finds personal data (names, e-mail, phone, IBAN, card, social security number, IP) and secrets (keys, tokens, passwords) in a table or a text, masked',
  input: z.object({ table: tableSource.optional(), text: z.string().max(LIMITS.textLength).optional() }),
  output: z.object({ findings: z.array(finding) }),
  limits: { time: 120_000 },
  async run({ table, text }, { signal }) {
    const findings: z.infer<typeof finding>[] = []
    if (text !== undefined) findings.push(...(await inText(text, 'text', undefined, signal)))
    if (table !== undefined) {
      using tables = await openTables([table], signal)
      for (const column of tables.list[0]!.columns) {
        const values = await readValues(tables, column.name, column.type)
        if (values.length > 0)
          findings.push(...(await inText(values.map((one) => one.value).join('\n'), column.name, values, signal)))
      }
    } else if (text === undefined) throw new TroupeError('invalid_input', 'find-personal-data needs a table or a text')
    return { findings }
  },
})

type Value = { row: number; value: string }

/** One value to a line, so that an offset tells the row. Numbers are looked at when they are long enough to be cards. */
async function readValues(tables: Tables, name: string, type: string): Promise<Value[]> {
  if (type !== 'text' && type !== 'integer') return []
  const column = sql.identifier(name)
  const long = type === 'integer' ? ` AND ${column} > 100000000` : ''
  const from = sql.identifier(tables.list[0]!.name)
  const query = `SELECT rowid + 1 AS row, substr(CAST(${column} AS TEXT), 1, ${MOST.cell}) AS value FROM ${from} WHERE ${column} IS NOT NULL${long} ORDER BY 1`
  const { rows } = await tables.query(query, { rows: MOST.values })
  return rows.map((row) => ({ row: Number(row.row), value: String(row.value).replaceAll(/\s+/g, ' ') }))
}

async function inText(text: string, where: string, values: Value[] | undefined, signal: AbortSignal) {
  const { entities } = await recogniseEntities.call({ text, kinds: [...PERSONAL] }, { signal })
  const found = [
    ...entities
      .filter((one) => one.confidence >= CONFIDENCE)
      .map((one) => ({
        kind: one.kind as (typeof ENTITY_KINDS)[number] | (typeof SECRET_KINDS)[number],
        secret: false,
        start: one.start,
        text: one.text,
      })),
    ...findSecrets(text).map((one) => ({ ...one, secret: true })),
  ]
  const starts = values === undefined ? [] : lineStarts(values)
  return [...Map.groupBy(found, (one) => one.kind)].map(([kind, own]) => ({
    kind,
    secret: own[0]!.secret,
    where,
    count: own.length,
    ...(values === undefined ? {} : { share: Math.min(1, own.length / values.length) }),
    examples: own.slice(0, MOST.examples).map((one) => ({
      ...(values === undefined ? {} : { row: values[starts.findLastIndex((start) => start <= one.start)]!.row }),
      masked: maskValue(one.text),
    })),
  }))
}

function lineStarts(values: Value[]): number[] {
  let at = 0
  return values.map(({ value }) => {
    const start = at
    at += value.length + 1
    return start
  })
}
