// Who, where, when and how much the document names.
import { step } from '@troupe/sdk'
import { type Entity, type EntityKind, recogniseEntities } from '@troupe/tools/recognise-entities'
import type { AnalysisWarning } from '../shapes.ts'
import { DATA_READ, storedText, telling } from './stored-text.ts'

export type FoundEntity = Entity

const SHOWN = 1_000

interface EntitiesInput {
  format: string
  textDocument: string
  pageStarts: number[]
  kinds: EntityKind[] | undefined
  dayFirst: boolean | undefined
}

export const findEntities = step<EntitiesInput, { entities: Entity[]; warnings: AnalysisWarning[] }>(
  async ({ input, ctx }) => {
    const { format, textDocument, pageStarts, kinds, dayFirst } = input
    const whole = await storedText(ctx, textDocument)
    const text = telling(whole, format)
    const warnings: AnalysisWarning[] = []
    if (text.length < whole.length) {
      warnings.push({
        kind: 'truncated',
        message: `Entities were looked for in the first ${DATA_READ} characters of the data`,
      })
    }
    const { entities } = await ctx.tool(recogniseEntities, { text, pageStarts, kinds, dayFirst })
    if (entities.length <= SHOWN) return { entities, warnings }
    warnings.push({
      kind: 'truncated',
      message: `${entities.length} entities were found; the ${SHOWN} surest are given`,
    })
    // The surest of all, in the order of the text.
    const surest = [...entities].sort((a, b) => b.confidence - a.confidence).slice(0, SHOWN)
    return { entities: surest.sort((a, b) => a.start - b.start), warnings }
  },
)
