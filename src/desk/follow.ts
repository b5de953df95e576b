// One task's log from any number, then live. The bus may lose or repeat what it carries, so it only says "look":
// numbers decide what is yielded, and a gap is read from the journal (P6: each event once, none missing).
import type { Bus, Ended, Entrusting } from '../bus/bus.ts'
import { TroupeError } from '../contract/errors.ts'
import type { EventType, TaskEvent } from '../contract/events.ts'
import { type EndState, hasEnded } from '../contract/task.ts'
import type { Journal } from '../journal/journal.ts'
import type { LookAgain } from './look-again.ts'

const PAGE = 200
/** Live events held for a slow reader; what is over is dropped here and read from the journal later. */
const HELD = 1_000

const ENDS = new Map<EventType, EndState>([
  ['task.completed', 'completed'],
  ['task.failed', 'failed'],
  ['task.cancelled', 'cancelled'],
  ['task.rejected', 'rejected'],
])

export interface Following {
  journal: Journal
  bus: Bus
  lookAgain: LookAgain
  tenant: string
  taskId: string
  after: number
  signal: AbortSignal
}

export async function* followTask(following: Following): AsyncGenerator<TaskEvent> {
  const { journal, bus, lookAgain, tenant, taskId, signal } = following
  let live: TaskEvent[] = []
  // Subscribed first, read second: nothing can fall between.
  let lookInJournal = true
  let wake = () => {}
  const stop = bus.follow(tenant, taskId, (events) => {
    if (live.length < HELD) live.push(...events)
    wake()
  })
  const watched = {
    taskId,
    last: following.after,
    news() {
      lookInJournal = true
      wake()
    },
  }
  const stopLooking = lookAgain.watch(watched)
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted) {
      const reading = lookInJournal
      lookInJournal = false
      const batch: TaskEvent[] = reading ? await journal.events(taskId, watched.last, PAGE) : live
      if (!reading) live = []
      if (reading && batch.length === 0 && (await endedBefore(journal, taskId, watched.last))) return
      if (reading && batch.length === PAGE) lookInJournal = true
      for (const event of batch) {
        if (event.number <= watched.last) continue
        if (event.number > watched.last + 1) {
          lookInJournal = true
          break
        }
        watched.last = event.number
        yield event
        if (ENDS.has(event.body.type) && !(await wasReopened(journal, taskId, watched.last))) return
        if (signal.aborted) return
      }
      if (lookInJournal || live.length > 0) continue
      await new Promise<void>((resolve) => {
        wake = resolve
        if (signal.aborted) wake()
      })
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    stopLooking()
    stop()
  }
}

/** Whoever starts to follow after the end has nothing to wait for. */
async function endedBefore(journal: Journal, taskId: string, last: number): Promise<boolean> {
  const task = await journal.get(taskId)
  // Not an end: a reader must not take what it has seen of the log for all of it.
  if (task === undefined) throw new TroupeError('not_found', `There is no task ${taskId} any more.`)
  return hasEnded(task.state) && task.lastEvent <= last
}

/** A retried task has an end in the middle of its log: its reader goes on to the real one. */
async function wasReopened(journal: Journal, taskId: string, number: number): Promise<boolean> {
  return (await journal.events(taskId, number, 1)).length > 0
}

export interface Ending {
  /** `undefined`: it is no longer waited for. */
  ended: Promise<Ended | undefined>
  stop(): void
}

/**
 * Waits for the end of a task that had not ended, or is about to be accepted. Nothing is read for it: the bus tells, and
 * what it lost is found when all that is waited for is looked up together. The host that a task is entrusted to tells of
 * its end directly; should it die, the bus tells of the host that comes after it.
 */
export function untilEnd(waiting: Omit<Following, 'after' | 'journal' | 'signal'>, entrusted?: Entrusting): Ending {
  if (entrusted?.ended !== undefined) return { ended: Promise.resolve(entrusted.ended), stop() {} }
  const { bus, lookAgain, tenant, taskId } = waiting
  const { promise: ended, resolve } = Promise.withResolvers<Ended | undefined>()
  const stopFollowing = bus.follow(tenant, taskId, (events) => {
    for (const { body } of events) {
      const state = ENDS.get(body.type)
      if (state !== undefined) settle({ state })
    }
  })
  const stopLooking = lookAgain.watch({
    taskId,
    last: Number.MAX_SAFE_INTEGER,
    news(head) {
      // Not there: not accepted yet.
      if (head !== undefined && hasEnded(head.state)) settle({ state: head.state })
    },
  })
  entrusted?.onEnd(settle)
  function settle(ended: Ended | undefined): void {
    entrusted?.forget()
    stopFollowing()
    stopLooking()
    resolve(ended)
  }
  return { ended, stop: () => settle(undefined) }
}

/** Waits for the end at most so long, and no longer than the signal allows. */
export async function endsWithin(
  { ended, stop }: Ending,
  ms: number,
  signal?: AbortSignal,
): Promise<Ended | undefined> {
  const patience = setTimeout(stop, ms)
  signal?.addEventListener('abort', stop)
  if (signal?.aborted === true) stop()
  const how = await ended
  clearTimeout(patience)
  signal?.removeEventListener('abort', stop)
  return how
}
