// Violations to scores. A dimension's score is the share of checks that hold, over all its expectations; the overall
// score is the mean of the dimensions that were checked, weighted as said.
import { z } from 'zod'
import { DIMENSIONS, type Dimension } from './expectation.ts'
import type { Violation } from './violations.ts'

export const scores = z.object({
  overall: z.number(),
  dimensions: z.array(
    z.object({
      dimension: z.enum(DIMENSIONS),
      score: z.number(),
      checked: z.number(),
      broken: z.number(),
      how: z.string(),
    }),
  ),
  how: z.string(),
})
export type Scores = z.infer<typeof scores>

/** What is missing or wrong spoils a result; what is late or twice can be seen and repaired. */
const WEIGHTS: Record<Dimension, number> = {
  completeness: 2,
  validity: 2,
  uniqueness: 1,
  consistency: 2,
  timeliness: 1,
  accuracy: 3,
}

export function scoreOf(violations: Violation[]): Scores {
  const dimensions = DIMENSIONS.flatMap((dimension) => {
    const own = violations.filter((one) => one.dimension === dimension)
    if (own.length === 0) return []
    const checked = own.reduce((sum, one) => sum + one.checked, 0)
    const broken = own.reduce((sum, one) => sum + one.broken, 0)
    const score = checked === 0 ? 1 : 1 - broken / checked
    return [
      {
        dimension,
        score,
        checked,
        broken,
        how: `${checked - broken} of ${checked} checks of ${own.length} expectations hold`,
      },
    ]
  })
  const weight = dimensions.reduce((sum, one) => sum + WEIGHTS[one.dimension], 0)
  const overall =
    weight === 0 ? 1 : dimensions.reduce((sum, one) => sum + WEIGHTS[one.dimension] * one.score, 0) / weight
  const how =
    dimensions.length === 0
      ? 'nothing was checked'
      : `mean of ${dimensions.map((one) => `${one.dimension} × ${WEIGHTS[one.dimension]}`).join(', ')}`
  return { overall, dimensions, how }
}
