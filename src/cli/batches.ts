// troupe tasks submit-many | cancel-many
import { TroupeError } from '../contract/errors.ts'
import type { TaskView } from './client.ts'
import type { Handler } from './context.ts'
import { EXIT } from './exit-codes.ts'
import { readLines } from './input.ts'
import { attachments, labelFilters } from './labels.ts'

/** What one request takes. */
const AT_ONCE = 1_000

interface Outcome {
  status: number
  task?: TaskView
  problem?: { code: string; detail: string }
}

export interface SubmitManyOptions {
  priority?: string
  label?: string[]
  callback?: string
  keyPrefix?: string
}

/** The ids on stdout, a line for each input in its order; what was refused on stderr, with the number of its line. */
export const submitMany: Handler<SubmitManyOptions> = async (context, [agent, given], options) => {
  const { priority, keyPrefix } = options
  const inputs = await readLines(given)
  const gateway = await context.connect()
  const attached = attachments(options)
  let refused = 0
  for (let from = 0; from < inputs.length; from += AT_ONCE) {
    const lines = inputs.slice(from, from + AT_ONCE)
    const tasks = lines.map(({ value: input }, place) => ({
      ...{ agent, input, priority, ...attached },
      // The same lines under the same prefix are the same tasks, so that a broken run can be repeated.
      ...(keyPrefix === undefined ? {} : { idempotencyKey: `${keyPrefix}:${from + place + 1}` }),
    }))
    const { outcomes } = await gateway.post<{ outcomes: Outcome[] }>('/v1/tasks/batch', { tasks })
    for (const [place, { task, problem }] of outcomes.entries()) {
      if (context.globals.json) context.terminal.out(JSON.stringify(outcomes[place]))
      else if (task !== undefined) context.terminal.out(task.id)
      if (problem === undefined) continue
      refused += 1
      context.terminal.note(`line ${lines[place]!.line}: ${problem.code}: ${problem.detail}`)
    }
  }
  context.terminal.note(`${inputs.length - refused} tasks for ${agent}, ${refused} refused`)
  return refused === 0 ? EXIT.ok : EXIT.usage
}

export interface CancelManyOptions {
  label?: string[]
  agent?: string
  state?: string
  /** Its old name. */
  status?: string
  before?: string
  reason?: string
  dryRun?: boolean
}

export const cancelMany: Handler<CancelManyOptions> = async (context, _, options) => {
  const { label, agent, state = options.status, before, reason, dryRun } = options
  if ((label ?? agent ?? state ?? before) === undefined) {
    throw new TroupeError('invalid_command', 'Say which: --label, --agent, --state or --before.')
  }
  const gateway = await context.connect()
  const filter = { labels: labelFilters(label), agent, state: state?.split(','), before, reason, dryRun }
  const sum = { matched: 0, cancelled: 0 }
  for (let cursor: string | undefined; ; ) {
    const part = await gateway.post<{ matched: number; cancelled: number; nextCursor?: string }>('/v1/tasks/cancel', {
      ...filter,
      cursor,
    })
    sum.matched += part.matched
    sum.cancelled += part.cancelled
    cursor = part.nextCursor
    if (cursor === undefined) break
  }
  context.show(sum, ({ matched, cancelled }) =>
    dryRun ? `${matched} tasks would be cancelled` : `${cancelled} of ${matched} tasks will be cancelled`,
  )
}
