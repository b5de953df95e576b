// What kind of document it is (invoice, contract, minutes …), by the model that the inference worker serves. Its
// confidence is calibrated; below the threshold the honest answer is "unknown".
import { step } from '@troupe/sdk'
import type { AnalysisWarning, DocumentType } from '../shapes.ts'
import { storedText } from './stored-text.ts'

const MODEL = 'document-type'
const SURE = 0.5
const ROWS = /^(csv|tsv)$/
/** An alternative of a millionth is none. */
const WORTH_NAMING = 0.01
/** A type shows on the first pages. */
const READ = 8_000
const UNKNOWN: DocumentType = { label: 'unknown', confidence: 0, alternatives: [] }

interface Typed {
  type: DocumentType
  warnings: AnalysisWarning[]
}

export const classifyType = step<{ textDocument: string; format: string }, Typed>(
  async ({ input, ctx }) => {
    // The model reads prose and forms; in rows of data it would go by what happens to stand in the cells.
    if (ROWS.test(input.format)) return { type: { label: 'table', confidence: 1, alternatives: [] }, warnings: [] }
    if (!(await ctx.inference.available())) {
      return {
        type: UNKNOWN,
        warnings: [{ kind: 'degraded', message: 'No inference worker: the document’s type is unknown' }],
      }
    }
    const text = await storedText(ctx, input.textDocument)
    const [found] = await ctx.inference.classify(MODEL, [text.slice(0, READ)])
    if (found === undefined) return { type: UNKNOWN, warnings: [] }
    const ranked = Object.entries(found.scores).sort((a, b) => b[1] - a[1])
    const alternatives = ranked
      .filter(([label, confidence]) => label !== found.label && confidence >= WORTH_NAMING)
      .slice(0, 3)
      .map(([label, confidence]) => ({ label, confidence: rounded(confidence) }))
    const label = found.confidence >= SURE ? found.label : 'unknown'
    return { type: { label, confidence: rounded(found.confidence), alternatives }, warnings: [] }
  },
  { timeout: 60_000, retries: 3 },
)

function rounded(confidence: number): number {
  return Number(confidence.toFixed(4))
}
