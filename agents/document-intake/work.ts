// The course of one file through the intake, as pure functions of what its children answered.
import type { Decision, File, FileResult, Stage } from './shapes.ts'

export interface Work extends FileResult {
  source: File
  table: boolean
}

const TABLE = /\.(csv|tsv|xlsx|parquet|ndjson)$/i
const MAX_INSIGHTS = 5

/** Stages in which a child of this file is running. */
export const RUNNING: readonly Stage[] = ['analysing', 'checking', 'reporting']

export function begin(files: File[]): Work[] {
  return files.map((source, index) => {
    const name = source.name ?? source.id ?? `file ${index}`
    return { source, file: name, table: TABLE.test(name), stage: 'queued', reasons: [], insights: [] }
  })
}

/** What the intake reads of the other agents' outputs; more may be there. */
interface Analysed {
  type?: { label: string }
  summary?: { text: string }
  document?: { format: string; name?: string }
}
interface Checked {
  verdict: 'pass' | 'warn' | 'fail'
  reasons: { verdict: string; text: string }[]
}
interface Reported {
  insights: { text: string }[]
}

export function answered(work: Work, output: unknown, options: { report: boolean }): Work {
  if (work.stage === 'analysing') {
    const { type, summary, document } = output as Analysed
    const name = document?.name ?? work.file
    return {
      ...work,
      file: name,
      stage: 'checking',
      table: work.table || TABLE.test(name),
      ...(type === undefined ? {} : { type: type.label }),
      ...(summary === undefined ? {} : { summary: summary.text }),
    }
  }
  if (work.stage === 'checking') {
    const { verdict, reasons } = output as Checked
    const checked = {
      ...work,
      verdict,
      reasons: reasons.filter((reason) => reason.verdict !== 'pass').map(({ text }) => text),
    }
    if (verdict === 'warn') return { ...checked, stage: 'deciding' }
    return verdict === 'fail' ? { ...checked, stage: 'refused' } : accepted(checked, options)
  }
  const { insights } = output as Reported
  return { ...work, stage: 'accepted', insights: insights.slice(0, MAX_INSIGHTS).map(({ text }) => text) }
}

export function failed(work: Work, error: unknown): Work {
  const message = error instanceof Error ? error.message : String(error)
  // Insights are an addition: a table that yields none was still accepted.
  if (work.stage === 'reporting') return { ...work, stage: 'accepted', error: message }
  return { ...work, stage: 'failed', error: message }
}

export function decided(work: Work, decision: Decision, options: { report: boolean }): Work {
  if (work.stage !== 'deciding') return work
  const by = { ...work, decidedBy: decision.by }
  return decision.accept ? accepted(by, options) : { ...by, stage: 'refused' }
}

function accepted(work: Work, { report }: { report: boolean }): Work {
  return { ...work, stage: work.table && report ? 'reporting' : 'accepted' }
}
