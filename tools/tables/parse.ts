// A source to typed columns. Small texts are parsed at once; large ones, workbooks and databases in a worker thread, because a
// busy event loop stalls the host's lease, and because a thread with a memory limit survives a workbook that has none.
import { Worker } from 'node:worker_threads'
import { type ErrorCode, TroupeError } from '@troupe/sdk'
import { parseCsv } from './csv.ts'
import { decodeText } from './decode-text.ts'
import { type Column, type Grid, inferColumns, type TableIssue } from './infer-types.ts'
import { parseJsonTable, parseNdjsonTable, recordsToGrid } from './records.ts'
import { guessFormat, sourceContent, type TableFormat, type TableSource } from './source.ts'
import { parseSqliteFile } from './sqlite-file.ts'
import { parseWorkbook } from './workbook.ts'

export interface ParsedTable {
  columns: Column[]
  rowCount: number
  issues: TableIssue[]
  issueCount: number
}

/** What the thread answers; errors cross as code and message, because class instances do not. */
export type ParseReply = { table: ParsedTable } | { code: ErrorCode; message: string }

const INLINE_SIZE = 256 * 1024
const THREAD_MEMORY_MB = 1024

export function formatOf(source: TableSource): TableFormat | 'rows' {
  if (source.rows !== undefined) return 'rows'
  return source.format ?? guessFormat(sourceContent(source) ?? '')
}

export async function parseTable(source: TableSource, signal: AbortSignal): Promise<ParsedTable> {
  const size = source.text?.length ?? source.base64?.length ?? (source.rows?.length ?? 0) * 100
  const format = formatOf(source)
  const isSafe = size <= INLINE_SIZE && format !== 'xlsx' && format !== 'sqlite'
  return isSafe ? await parseHere(source) : await parseInThread(source, signal)
}

export async function parseHere(source: TableSource): Promise<ParsedTable> {
  const grid = await readGrid(source)
  return { ...inferColumns(grid), rowCount: grid.rows.length }
}

async function readGrid(source: TableSource): Promise<Grid> {
  const content = sourceContent(source)
  if (content === undefined) return recordsToGrid(source.rows ?? [])
  if (content.length === 0)
    throw new TroupeError('document_unreadable', `table ${source.name ?? 'data'} is empty: 0 bytes`)
  switch (source.format ?? guessFormat(content)) {
    case 'xlsx':
      return await parseWorkbook(typeof content === 'string' ? Buffer.from(content) : content, source.sheet)
    case 'json':
      return parseJsonTable(decodeText(content))
    case 'ndjson':
      return parseNdjsonTable(decodeText(content))
    case 'csv':
      return parseCsv(decodeText(content), { header: source.header })
    case 'sqlite':
      return parseSqliteFile(typeof content === 'string' ? Buffer.from(content) : content, source.sheet)
    case 'parquet':
      throw new TroupeError('document_unreadable', 'Parquet is read by the database, not here')
  }
}

async function parseInThread(source: TableSource, signal: AbortSignal): Promise<ParsedTable> {
  const worker = new Worker(new URL('./parse-worker.ts', import.meta.url), {
    workerData: source,
    resourceLimits: { maxOldGenerationSizeMb: THREAD_MEMORY_MB },
  })
  const stop = () => void worker.terminate()
  signal.addEventListener('abort', stop, { once: true })
  try {
    const reply = await new Promise<ParseReply>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', (cause: Error & { code?: string }) => {
        const tooLarge = cause.code === 'ERR_WORKER_OUT_OF_MEMORY'
        reject(
          tooLarge
            ? new TroupeError('limit_exceeded', `reading the table took more than ${THREAD_MEMORY_MB} MB of memory`)
            : new TroupeError('document_unreadable', `the table cannot be read: ${cause.message}`, { cause }),
        )
      })
      worker.once('exit', () => reject(signal.reason ?? new TroupeError('internal', 'the parsing thread ended early')))
    })
    if ('code' in reply) throw new TroupeError(reply.code, reply.message)
    return reply.table
  } finally {
    signal.removeEventListener('abort', stop)
    await worker.terminate()
  }
}
