// Where the outcome of a step is kept: in the log row of its commit, which is written anyway and costs no row more.
// A row of its own, in `outcomes`, is for what the log row cannot hold: a commit without events has none; and what is large
// shall go when the task completes, while its log stays until it is purged.
import type { StepOutcome } from '../journal.ts'
import type { PreparedCommit } from '../prepare.ts'
import { type Column, isReference } from '../values.ts'

/** Characters of one commit's outcomes that its log row takes. */
const MAX_IN_LOG = 1_000

type Outcomes = PreparedCommit['steps']

/** `{"step": outcome}`, the outcome as it is or, where the value is in the blob store, its reference as a string. */
export function outcomesInLog({ commit, events, steps }: PreparedCommit): Column | undefined {
  if (steps.length === 0 || commit.state === 'completed' || !fits(events, steps)) return undefined
  const members = steps.map(({ id, outcome }) => {
    const value = isReference(outcome) ? JSON.stringify(outcome) : outcome
    return `${JSON.stringify(id)}:${value}`
  })
  return `{${members.join(',')}}`
}

/** Those with rows of their own. A completed task keeps none. */
export function outcomesApart({ commit, events, steps }: PreparedCommit): Outcomes {
  return commit.state === 'completed' || fits(events, steps) ? [] : steps
}

function fits(events: Column | undefined, steps: Outcomes): boolean {
  if (steps.length === 0) return true
  return (
    events !== undefined && steps.reduce((sum, { id, outcome }) => sum + id.length + outcome.length, 0) <= MAX_IN_LOG
  )
}

/** For LOAD: one `{"step": …}` a row, in the order in which they were recorded. A string is an outcome's text or reference. */
export const RECORDED = `
  SELECT json_agg(recorded ORDER BY number, own) FROM (
    SELECT first_number AS number, 0 AS own, outcomes AS recorded
    FROM log WHERE log.task = tasks.id AND log.outcomes IS NOT NULL
    UNION ALL
    SELECT number, 1, json_build_object(step, outcome)::text FROM outcomes WHERE outcomes.task = tasks.id
  ) AS r`

/** The first one of a step stays. */
export async function readOutcomes(
  recorded: readonly string[],
  fetch: (column: Column) => Promise<Column>,
): Promise<Record<string, StepOutcome>> {
  const outcomes: Record<string, StepOutcome> = {}
  for (const text of recorded) {
    const found: Record<string, StepOutcome | Column> = JSON.parse(text)
    for (const [step, outcome] of Object.entries(found)) {
      if (Object.hasOwn(outcomes, step)) continue
      outcomes[step] = typeof outcome === 'string' ? JSON.parse(await fetch(outcome)) : outcome
    }
  }
  return outcomes
}
