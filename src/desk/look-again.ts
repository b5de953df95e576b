// Whoever follows a task is told by the bus, and the bus may lose what it carries. So what is waited for is looked up in
// the journal now and then: all of it together, in one statement, however many follow. A lost announcement costs at most
// one interval.
import { hasEnded } from '../contract/task.ts'
import type { Journal, LogHead } from '../journal/journal.ts'

const LOOK_AGAIN_MS = 2_000
/** Tasks in one statement. */
const MOST = 5_000

export interface Watched {
  readonly taskId: string
  /** The last event that is known. */
  last: number
  /** The log goes on after that event, or it ended, or there is no such task. */
  news(head: LogHead | undefined): void
}

export interface LookAgain {
  /** Looked up until the returned function is called. */
  watch(watched: Watched): () => void
}

export function createLookAgain(journal: Pick<Journal, 'heads'>, everyMs = LOOK_AGAIN_MS): LookAgain {
  const all = new Set<Watched>()
  let timer: NodeJS.Timeout | undefined
  let looking = false

  function arm(): void {
    if (all.size > 0 && !looking) timer ??= setTimeout(() => void look(), everyMs)
  }

  async function look(): Promise<void> {
    timer = undefined
    looking = true
    try {
      const now = [...all]
      for (let start = 0; start < now.length; start += MOST) await lookAt(now.slice(start, start + MOST))
    } catch {
      // The journal is away: what followers wait for cannot have been committed either. The next look finds it.
    } finally {
      looking = false
      arm()
    }
  }

  async function lookAt(some: Watched[]): Promise<void> {
    const heads = await journal.heads([...new Set(some.map(({ taskId }) => taskId))])
    const byId = new Map(heads.map((head) => [head.id, head]))
    for (const watched of some) {
      const head = byId.get(watched.taskId)
      if (all.has(watched) && hasNews(watched, head)) watched.news(head)
    }
  }

  return {
    watch(watched) {
      all.add(watched)
      arm()
      return () => {
        all.delete(watched)
        if (all.size > 0) return
        clearTimeout(timer)
        timer = undefined
      }
    },
  }
}

function hasNews({ last }: Watched, head: LogHead | undefined): boolean {
  return head === undefined || hasEnded(head.state) || head.lastEvent > last
}
