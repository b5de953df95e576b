// What the tasks of a plug-in have spent on the LLM, by the count of the side that paid. The plug-in's own count goes into
// its commits; one that says less is corrected, and a budget holds even where nobody over there looks at it.
import { TroupeError } from '../contract/errors.ts'
import type { Usage } from '../contract/task.ts'
import type { ActorCommit, TaskRow } from '../journal/journal.ts'

export interface Accounts {
  /** Throws `budget_exceeded` when there is nothing left. */
  check(task: TaskRow): void
  /** Throws `budget_exceeded` when this was too much; it is counted all the same. */
  spend(task: TaskRow, usage: Usage): void
  /** What the commit must say of the usage; nothing when this side knows of none. */
  settle(commit: Pick<ActorCommit, 'taskId' | 'usage'>): { usage?: Usage }
  forget(taskId: string): void
}

const FIELDS = ['inputTokens', 'outputTokens', 'costMicros'] as const

export function createAccounts(): Accounts {
  /** Totals, of tasks that have spent something here. */
  const spent = new Map<string, Usage>()

  function totalOf(task: TaskRow): Usage {
    return spent.get(task.id) ?? most({}, task.usage ?? {})
  }

  function refuse(total: Usage): never {
    throw new TroupeError('budget_exceeded', 'The task has spent its budget.', { detail: { ...total } })
  }

  return {
    check(task) {
      const total = totalOf(task)
      const { tokens = Number.POSITIVE_INFINITY, costMicros = Number.POSITIVE_INFINITY } = task.budget ?? {}
      if (total.inputTokens + total.outputTokens >= tokens || total.costMicros >= costMicros) refuse(total)
    },
    spend(task, usage) {
      const before = totalOf(task)
      const total = most({}, {})
      for (const field of FIELDS) total[field] = before[field] + usage[field]
      spent.set(task.id, total)
      const { tokens = Number.POSITIVE_INFINITY, costMicros = Number.POSITIVE_INFINITY } = task.budget ?? {}
      if (total.inputTokens + total.outputTokens > tokens || total.costMicros > costMicros) refuse(total)
    },
    settle({ taskId, usage }) {
      const total = spent.get(taskId)
      if (total === undefined) return {}
      const settled = most(total, usage ?? {})
      spent.set(taskId, settled)
      return { usage: settled }
    },
    forget: (taskId) => void spent.delete(taskId),
  }
}

function most(left: Partial<Usage>, right: Partial<Usage>): Usage {
  const of = (field: keyof Usage) => Math.max(left[field] ?? 0, right[field] ?? 0)
  return { inputTokens: of('inputTokens'), outputTokens: of('outputTokens'), costMicros: of('costMicros') }
}
