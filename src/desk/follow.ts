// One task's log from any number, then live. The bus may lose or repeat what it carries, so it only says "look":
// numbers decide what is yielded, and a gap is read from the journal (P6: each event once, none missing).
import type { Bus } from '../bus/bus.ts'
import type { TaskEvent } from '../contract/events.ts'
import { hasEnded } from '../contract/task.ts'
import type { Journal } from '../journal/journal.ts'

const PAGE = 200
/** Without news for this long the journal is asked: a lost announcement costs at most this delay. */
const LOOK_AGAIN_MS = 2_000
/** Live events held for a slow reader; what is over is dropped here and read from the journal later. */
const HELD = 1_000

const ENDS = new Set(['task.completed', 'task.failed', 'task.cancelled', 'task.rejected'])

export interface Following {
  journal: Journal
  bus: Bus
  tenant: string
  taskId: string
  after: number
  signal: AbortSignal
}

export async function* followTask(following: Following): AsyncGenerator<TaskEvent> {
  const { journal, bus, tenant, taskId, signal } = following
  let last = following.after
  let live: TaskEvent[] = []
  let wake = () => {}
  const stop = bus.follow(tenant, taskId, (events) => {
    if (live.length < HELD) live.push(...events)
    wake()
  })
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort)
  try {
    // Subscribed first, read second: nothing can fall between.
    let lookInJournal = true
    while (!signal.aborted) {
      const batch: TaskEvent[] = lookInJournal ? await journal.events(taskId, last, PAGE) : live
      if (!lookInJournal) live = []
      if (lookInJournal && batch.length === 0 && (await endedBefore(journal, taskId, last))) return
      lookInJournal = lookInJournal && batch.length === PAGE
      for (const event of batch) {
        if (event.number <= last) continue
        if (event.number > last + 1) {
          lookInJournal = true
          break
        }
        last = event.number
        yield event
        if (ENDS.has(event.body.type) && !(await wasReopened(journal, taskId, last))) return
        if (signal.aborted) return
      }
      if (lookInJournal || live.length > 0) continue
      lookInJournal = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(true), LOOK_AGAIN_MS)
        wake = () => {
          clearTimeout(timer)
          resolve(false)
        }
        if (signal.aborted || live.length > 0) wake()
      })
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    stop()
  }
}

/** Whoever starts to follow after the end has nothing to wait for. */
async function endedBefore(journal: Journal, taskId: string, last: number): Promise<boolean> {
  const task = await journal.get(taskId)
  return task === undefined || (hasEnded(task.state) && task.lastEvent <= last)
}

/** A retried task has an end in the middle of its log: its reader goes on to the real one. */
async function wasReopened(journal: Journal, taskId: string, number: number): Promise<boolean> {
  return (await journal.events(taskId, number, 1)).length > 0
}
