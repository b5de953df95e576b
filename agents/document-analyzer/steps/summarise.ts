// The summary: the document's own sentences, each with its place. With an LLM it is written anew, and every sentence
// that the document does not bear out is taken out again.
import { type StepContext, step } from '@troupe/sdk'
import { checkClaims } from '@troupe/tools/check-claims'
import { summarise } from '@troupe/tools/summarise'
import type { AnalysisWarning, ReadDocument, Summary } from '../shapes.ts'
import { askLlm, asMaterial, MATERIAL } from './llm.ts'
import { isData, pageOf, storedText, telling } from './stored-text.ts'

interface SummaryInput {
  textDocument: string
  format: string
  language: string
  sentences: number
  headings: { text: string; offset: number }[]
  tables: ReadDocument['tables']
  pageStarts: number[]
}

interface Summarised {
  summary: Summary
  warnings: AnalysisWarning[]
}

/** What an LLM is given of a long document: its beginning, and the sentences that say most. */
const GIVEN = 24_000
const SHOWN_TABLES = 4
const SHOWN_COLUMNS = 12

export const summariseDocument = step<SummaryInput, Summarised>(
  async ({ input, ctx }) => {
    if (isData(input.format) && input.tables.length > 0) return { summary: describeTables(input.tables), warnings: [] }
    const text = telling(await storedText(ctx, input.textDocument), input.format)
    const extractive = await extract(text, input, ctx)
    if (!ctx.llm.configured) return { summary: extractive, warnings: [] }
    try {
      return await write(text, extractive, input, ctx)
    } catch (error) {
      if (ctx.signal.aborted) throw error
      const reason = error instanceof Error ? error.message : String(error)
      const message = `The LLM wrote no summary (${reason}); it is made of the document’s own sentences`
      return { summary: extractive, warnings: [{ kind: 'degraded', message }] }
    }
  },
  { timeout: 180_000 },
)

/** A row of numbers is no sentence: of data, what its tables are. */
function describeTables(tables: ReadDocument['tables']): Summary {
  const shown = tables.slice(0, SHOWN_TABLES).map(({ name, header, columnCount, rowCount }) => {
    const columns = header.slice(0, SHOWN_COLUMNS).join(', ')
    const more = columnCount > SHOWN_COLUMNS ? ` and ${columnCount - SHOWN_COLUMNS} more` : ''
    const size = `${rowCount.toLocaleString('en-US')} rows and ${columnCount} columns: ${columns}${more}.`
    return name === undefined ? `A table of ${size}` : `The table “${name}” has ${size}`
  })
  const left = tables.length - shown.length
  if (left > 0) shown.push(`${left} more tables follow.`)
  return { kind: 'structural', text: shown.join(' '), citations: [] }
}

async function extract(text: string, input: SummaryInput, ctx: StepContext): Promise<Summary> {
  const breaks = input.headings.flatMap(({ text: heading, offset }) => [offset, offset + heading.length])
  const { sentences } = await ctx.tool(summarise, {
    text,
    language: input.language,
    sentences: input.sentences,
    breaks,
  })
  const citations = sentences.map(({ text: sentence, start, end }) => ({
    text: sentence.replace(/\s+/g, ' '),
    start,
    end,
    page: pageOf(start, input.pageStarts),
  }))
  return { kind: 'extractive', text: citations.map((one) => one.text).join(' '), citations }
}

async function write(text: string, extractive: Summary, input: SummaryInput, ctx: StepContext): Promise<Summarised> {
  const given = text.length <= GIVEN ? text : `${text.slice(0, GIVEN)}\n…\n${extractive.text}`
  const system =
    `Summarise the document in at most ${input.sentences} plain sentences, in its language. Use only facts, names and numbers ` +
    `that stand in it. Answer with the sentences only. ${MATERIAL}`
  const written = await askLlm(ctx, system, asMaterial(given), 1_000)
  const claims = written
    .split(/(?<=[.!?])\s+/)
    .map((one) => one.trim())
    .filter((one) => one !== '')
  const { claims: checked } = await ctx.tool(checkClaims, {
    source: text,
    claims: claims.slice(0, 40),
    language: input.language,
  })
  const kept = checked.filter((one) => one.supported)
  const dropped = checked.length - kept.length
  if (kept.length === 0) {
    const message = 'The document bears out nothing of what the LLM wrote; the summary is made of its own sentences'
    return { summary: extractive, warnings: [{ kind: 'degraded', message }] }
  }
  const citations = kept.map(({ evidence }) => {
    const { start, end } = evidence!
    return { text: text.slice(start, end).replace(/\s+/g, ' '), start, end, page: pageOf(start, input.pageStarts) }
  })
  const message = `${dropped} sentences that the LLM wrote are not borne out by the document and were left out`
  return {
    summary: { kind: 'abstractive', text: kept.map((one) => one.claim).join(' '), citations },
    warnings: dropped === 0 ? [] : [{ kind: 'degraded', message }],
  }
}
