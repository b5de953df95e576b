// The course of one file through the intake, as pure functions of what its children answered.
import type { Indexable } from './index-accepted.ts'
import type { Decision, File, FileResult, Input, Stage } from './shapes.ts'

export interface Work extends FileResult {
  source: File
  table: boolean
  /** Not of a document without text. */
  indexable?: Indexable
}

type Wanted = Pick<Input, 'report' | 'collection'>

const TABLE = /\.(csv|tsv|xlsx|parquet|ndjson)$/i
const MAX_INSIGHTS = 5

/** Stages in which a child of this file is running. */
export const RUNNING: readonly Stage[] = ['analysing', 'checking', 'indexing', 'reporting']

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
  language?: { code: string }
  document?: { format: string; name?: string; textDocument?: string; metadata?: { title?: string } }
}
interface Checked {
  verdict: 'pass' | 'warn' | 'fail'
  reasons: { verdict: string; text: string }[]
}
interface Reported {
  insights: { text: string }[]
}

export function answered(work: Work, output: unknown, wanted: Wanted): Work {
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
      ...indexableOf(work.source, output as Analysed),
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
    return verdict === 'fail' ? { ...checked, stage: 'refused' } : accepted(checked, wanted)
  }
  if (work.stage === 'indexing') return indexed(work, wanted)
  const { insights } = output as Reported
  return { ...work, stage: 'accepted', insights: insights.slice(0, MAX_INSIGHTS).map(({ text }) => text) }
}

export function failed(work: Work, error: unknown, wanted: Wanted): Work {
  const reason = error instanceof Error ? error.message : String(error)
  const message = work.error === undefined ? reason : `${work.error} ${reason}`
  if (work.stage === 'indexing') return indexed({ ...work, error: `Not indexed: ${reason}` }, wanted)
  // Insights are an addition: a table that yields none was still accepted.
  if (work.stage === 'reporting') return { ...work, stage: 'accepted', error: message }
  return { ...work, stage: 'failed', error: message }
}

export function decided(work: Work, decision: Decision, wanted: Wanted): Work {
  if (work.stage !== 'deciding') return work
  const by = { ...work, decidedBy: decision.by }
  return decision.accept ? accepted(by, wanted) : { ...by, stage: 'refused' }
}

function accepted(work: Work, wanted: Wanted): Work {
  const indexing = wanted.collection !== undefined && work.indexable !== undefined
  return indexing ? { ...work, stage: 'indexing' } : indexed(work, wanted)
}

function indexed(work: Work, { report }: Wanted): Work {
  return { ...work, stage: work.table && report ? 'reporting' : 'accepted' }
}

function indexableOf(source: File, { type, language, document }: Analysed): Pick<Work, 'indexable'> {
  if (document?.textDocument === undefined) return {}
  const { textDocument, name, format, metadata } = document
  const title = metadata?.title ?? name
  return {
    indexable: {
      documentId: source.id ?? textDocument,
      textDocument,
      ...(title === undefined ? {} : { title }),
      metadata: {
        format,
        textDocument,
        ...(name === undefined ? {} : { name }),
        ...(type === undefined ? {} : { type: type.label }),
        ...(language === undefined ? {} : { language: language.code }),
      },
    },
  }
}
