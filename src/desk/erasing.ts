// Erasing a task, with what it asked for: the children's inputs and outputs are its own, in other words.
import { TroupeError } from '../contract/errors.ts'
import { MAX_PAGE } from '../contract/limits.ts'
import { hasEnded, type Task, type TaskState } from '../contract/task.ts'
import type { Journal } from '../journal/journal.ts'

/** Tasks that one commit erases. */
const AT_ONCE = 500

/** How many tasks were erased. */
export async function eraseTask(journal: Pick<Journal, 'list' | 'erase'>, task: Task): Promise<number> {
  const ids = await familyOf(journal, task)
  let erased = 0
  // The youngest first: whatever breaks this off leaves the task itself, and the same call goes on.
  for (let left = ids.length; left > 0; left -= AT_ONCE) {
    const outcome = await journal.erase(task.tenant, ids.slice(Math.max(0, left - AT_ONCE), left))
    // Retried in this moment.
    if (outcome.notEnded.length > 0) throw notEnded(outcome.notEnded[0]!)
    erased += outcome.erased
  }
  return erased
}

/** The task, its children, their children …: parents before their children. */
async function familyOf(journal: Pick<Journal, 'list'>, { id, tenant, state }: Task): Promise<string[]> {
  if (!hasEnded(state)) throw notEnded(id, state)
  const ids = [id]
  for (const parent of ids) {
    for (let cursor: string | undefined; ; ) {
      const at = cursor === undefined ? {} : { cursor }
      const page = await journal.list({ tenant, parent, limit: MAX_PAGE, ...at })
      for (const child of page.tasks) {
        if (!hasEnded(child.state)) throw notEnded(child.id, child.state)
        ids.push(child.id)
      }
      cursor = page.nextCursor
      if (cursor === undefined) break
    }
  }
  return ids
}

function notEnded(id: string, state?: TaskState): TroupeError {
  const how = state === undefined ? '' : `, it is ${state}`
  return new TroupeError(
    'wrong_state',
    `${id} has not ended${how}: only what has ended can be erased. Cancel it first.`,
  )
}
