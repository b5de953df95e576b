// What each state of the machine does.
import { type StepContext, step, TroupeError } from '@troupe/sdk'
import { checkClaims } from '@troupe/tools/check-claims'
import { checkFigures } from '@troupe/tools/check-figures'
import { checkQuality } from '@troupe/tools/check-quality'
import { compareDrift } from '@troupe/tools/compare-drift'
import { detectAnomalies } from '@troupe/tools/detect-anomalies'
import { findPersonalData } from '@troupe/tools/find-personal-data'
import { profileTable } from '@troupe/tools/profile-table'
import { scoreOf, type Violation } from '@troupe/tools/quality/index'
import { queryTable } from '@troupe/tools/query-table'
import { type Dataset, fetchDataset, type Origin, tableOf } from '@troupe/tools/tables/dataset'
import * as sql from '@troupe/tools/tables/sql-dialect'
import { splitSentences, statementsOf } from './claims.ts'
import { textOf } from './document.ts'
import { checkText } from './document-checks.ts'
import type { ComplianceFinding, Report, Request } from './request.ts'

type Call = { input: Request; ctx: StepContext }
/** Kinds as people say them: one, and several. */
const SPOKEN: Record<string, [string, string]> = {
  person: ['name of a person', 'names of people'],
  email: ['e-mail address', 'e-mail addresses'],
  phone: ['phone number', 'phone numbers'],
  iban: ['bank account (IBAN)', 'bank accounts (IBAN)'],
  card: ['card number', 'card numbers'],
  ssn: ['social security number', 'social security numbers'],
  ip: ['IP address', 'IP addresses'],
}
const MOST = { violations: 200, measures: 5, anomalies: 100, claims: 200 } as const

/** A database answers differently tomorrow: every check after this works on what it answered now. */
export const fetched = step(
  async ({ input, ctx }: Call) => {
    const origins: Origin[] = []
    const stored = async (asked: Dataset): Promise<Dataset> => {
      if (asked.source === undefined) return asked
      const { dataset, origin } = await fetchDataset(asked, ctx)
      origins.push(origin)
      return dataset
    }
    const request = { ...input }
    if (input.dataset !== undefined) request.dataset = await stored(input.dataset)
    if (input.reference !== undefined) request.reference = await stored(input.reference)
    request.lookups = []
    for (const { name, dataset } of input.lookups) request.lookups.push({ name, dataset: await stored(dataset) })
    return { request, origins }
  },
  { timeout: 660_000 },
)

/** Table and text are judged by the same expectations-and-score scheme, together. */
export const qualityChecked = step(async ({ input, ctx }: Call) => {
  const checked: Violation[] = []
  const warnings: string[] = []
  if (input.dataset !== undefined) {
    const references = []
    for (const { name, dataset } of input.lookups) references.push(await tableOf(dataset, name, ctx))
    const { expectations, infer } = input
    const result = await ctx.tool(checkQuality, {
      table: await tableOf(input.dataset, 'data', ctx),
      expectations,
      infer,
      ...(references.length === 0 ? {} : { references }),
    })
    checked.push(...result.expectations)
  }
  if (input.document !== undefined) {
    const document = await textOf(input.document, ctx)
    checked.push(...checkText(document.text))
    warnings.push(...document.warnings)
  }
  const broken = checked.filter((one) => one.broken > 0 || !one.holds).sort((a, b) => Number(a.holds) - Number(b.holds))
  return {
    scores: scoreOf(checked),
    violations: broken.slice(0, MOST.violations),
    expectations: checked.length,
    warnings,
  }
})

export const driftCompared = step(async ({ input, ctx }: Call): Promise<NonNullable<Report['drift']>> => {
  const { drift, columns } = await ctx.tool(compareDrift, {
    table: await tableOf(input.dataset!, 'data', ctx),
    reference: await tableOf(input.reference!, 'reference', ctx),
  })
  return { drift, columns }
})

/** A table too small to be told numbers to watch from keys (one row, say) has no anomalies; that is no trouble. */
function nothingToWatch(error: unknown): { anomalies: [] } {
  if (error instanceof TroupeError && error.code === 'invalid_input') return { anomalies: [] }
  throw error
}

export const anomaliesFound = step(async ({ input, ctx }: Call): Promise<Report['anomalies']> => {
  const table = await tableOf(input.dataset!, 'data', ctx)
  const { columns } = await ctx.tool(profileTable, { table })
  if (!columns.some((column) => column.role === 'time')) return []
  const found: Report['anomalies'] = []
  for (const { name } of columns.filter((column) => column.role === 'measure').slice(0, MOST.measures)) {
    const { anomalies } = await ctx.tool(detectAnomalies, { table, measure: name }).catch(nothingToWatch)
    found.push(...anomalies.map(({ index: _, ...anomaly }) => ({ measure: name, ...anomaly })))
  }
  return found.slice(0, MOST.anomalies)
})

export const complianceChecked = step(async ({ input, ctx }: Call): Promise<ComplianceFinding[]> => {
  const { requiredClauses, retention } = input.policy
  const found: ComplianceFinding[] = []
  const table = input.dataset === undefined ? undefined : await tableOf(input.dataset, 'data', ctx)
  const text = input.document === undefined ? undefined : (await textOf(input.document, ctx)).text
  const { findings } = await ctx.tool(findPersonalData, {
    ...(table === undefined ? {} : { table }),
    ...(text === undefined ? {} : { text }),
  })
  for (const { kind, secret, where, count, examples } of findings) {
    const [one, many] = SPOKEN[kind] ?? [kind.replaceAll('_', ' '), `${kind.replaceAll('_', ' ')}s`]
    const place = where === 'text' ? 'the text' : where
    found.push({
      matter: secret ? 'secret' : 'personal data',
      kind,
      where,
      count,
      examples,
      text: `${count === 1 ? `1 ${one}` : `${count} ${many}`} in ${place}, such as ${examples[0]?.masked}`,
    })
  }
  const plain = (words: string) => words.toLowerCase().replaceAll(/\s+/g, ' ').trim()
  for (const { name, anyOf } of text === undefined ? [] : requiredClauses) {
    if (!anyOf.some((wording) => plain(text ?? '').includes(plain(wording)))) {
      found.push({
        matter: 'required clause',
        kind: name,
        where: 'text',
        count: 1,
        examples: [],
        text: `the clause "${name}" is missing`,
      })
    }
  }
  if (table !== undefined && retention !== undefined) {
    const age = `${sql.dayNumberOf(sql.literal(retention.now.slice(0, 10)))} - ${sql.dayNumber(retention.column)}`
    const query = `SELECT rowid + 1 AS row, count(*) OVER () AS count FROM "data" WHERE ${age} > ${retention.days} ORDER BY 1`
    const { rows } = await ctx.tool(queryTable, { tables: [table], sql: query, rows: 5 })
    const count = Number(rows[0]?.count ?? 0)
    if (count > 0) {
      const examples = rows.map((row) => ({ row: Number(row.row), masked: '' }))
      found.push({
        matter: 'retention',
        kind: 'too old',
        where: retention.column,
        count,
        examples,
        text: `${count} rows are older than ${retention.days} days`,
      })
    }
  }
  return found
})

export const claimsChecked = step(async ({ input, ctx }: Call): Promise<Report['claims']> => {
  const analysis = input.analysis!
  const claims: Report['claims'] = []
  if (input.dataset !== undefined) {
    const statements = statementsOf(analysis, input.document === undefined)
    const { statements: checked } = await ctx.tool(checkFigures, {
      table: await tableOf(input.dataset, 'data', ctx),
      statements: statements.slice(0, MOST.claims),
    })
    claims.push(...checked)
  }
  if (input.document !== undefined) {
    const { text } = await textOf(input.document, ctx)
    const sentences = [...splitSentences(analysis.summary ?? ''), ...(analysis.sentences ?? [])].slice(0, MOST.claims)
    const { claims: checked } = await ctx.tool(checkClaims, { source: text, claims: sentences })
    claims.push(
      ...checked.map(({ claim, supported, missing }) => ({
        text: claim,
        verdict: supported ? ('supported' as const) : ('unsupported' as const),
        reasons: missing.map((word) => `${word} is not in the document`),
      })),
    )
  }
  return claims
})
