// troupe tasks erase | erase-many: ended tasks, deleted for good; and how many things are removed one by one.
import { TroupeError } from '../contract/errors.ts'
import { type GatewayClient, type TaskView, taskPath } from './client.ts'
import type { Handler } from './context.ts'
import { labelFilters } from './labels.ts'

export const ENDED = ['completed', 'failed', 'cancelled', 'rejected']

const AT_ONCE = 8
const PAGE = 500

export const eraseTask: Handler = async (context, [id]) => {
  const gateway = await context.connect()
  await gateway.remove(taskPath(id!))
  context.show({ id, erased: true }, () => `${id} is erased`)
}

export interface EraseManyOptions {
  label?: string[]
  agent?: string
  yes?: boolean
}

export const eraseMany: Handler<EraseManyOptions> = async (context, _, { label, agent, yes = false }) => {
  if ((label ?? agent) === undefined) throw new TroupeError('invalid_command', 'Say which: --label or --agent.')
  const gateway = await context.connect()
  const query = { label: labelFilters(label), agent, state: ENDED.join(','), limit: PAGE }
  const found: string[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await gateway.get<{ tasks: TaskView[]; nextCursor?: string }>('/v1/tasks', {
      query: { ...query, cursor },
    })
    found.push(...page.tasks.map(({ id }) => taskPath(id)))
    cursor = page.nextCursor
    if (cursor === undefined) break
  }
  if (!yes) {
    throw new TroupeError(
      'invalid_command',
      `${found.length} ended tasks, and all that they asked for, would be gone for good; say --yes if that is meant.`,
    )
  }
  const erased = await removeEach(gateway, found)
  context.show({ erased }, () => `${erased} tasks are erased, with all that they asked for`)
}

/** What has gone meanwhile is as good as removed. */
export async function removeEach(
  gateway: GatewayClient,
  paths: string[],
  query: Record<string, string> = {},
): Promise<number> {
  const left = [...paths]
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (let path = left.shift(); path !== undefined; path = left.shift()) {
      await gateway.remove(path, { query }).catch((error: unknown) => {
        if (!(error instanceof TroupeError) || error.status !== 404) throw error
      })
    }
  })
  await Promise.all(workers)
  return paths.length
}
