// What a host tells the platform's event streams of its work: documents that were processed, how long tasks took, trouble.
// Nothing here waits, and nothing is published for each task: ends are summed up for a window, the same trouble is told
// once a minute. An event that cannot be published is lost, and the logs and metrics have it (no promise rests on these).
import type { Bus } from '../bus/bus.ts'
import { type PlatformData, platformEvent, severityOf } from '../bus/platform-events.ts'
import { toTroupeError } from '../contract/errors.ts'
import type { PlatformEvent } from '../contract/events.ts'
import { isId } from '../contract/ids.ts'
import type { EndState } from '../contract/task.ts'
import type { TaskRow } from '../journal/journal.ts'

const WINDOW_MS = 10_000
const SAMPLES = 512
const QUIET_MS = 60_000
/** Different troubles told apart at a time; beyond it the oldest is told anew. */
const MAX_TROUBLES = 200
/** Documents of one task that are told of. */
const MAX_DOCUMENTS = 50
const MAX_MESSAGE = 2_000

export interface PlatformFeed {
  /** A task has ended here. */
  ended(task: TaskRow, state: EndState, ms: number, error?: string): void
  /** With a tenant it is told to that tenant: the platform's own has no tenant. */
  trouble(what: string, error: unknown, tenant?: string): void
  /** Tells what the window holds. */
  stop(): void
}

interface Window {
  ended: Record<EndState, number>
  seen: number
  samples: number[]
  longest: number
}

export function startPlatformFeed(
  bus: Pick<Bus, 'publishPlatform'>,
  host: string,
  { windowMs = WINDOW_MS, now = () => performance.now() }: { windowMs?: number; now?: () => number } = {},
): PlatformFeed {
  const windows = new Map<string, Window>()
  const troubles = new Map<string, { toldAt: number; repeated: number }>()
  let begun = now()

  function publish(event: PlatformEvent): void {
    // Not as trouble: that the bus is away would be told over the bus, again and again.
    bus.publishPlatform(event).catch(() => {})
  }

  function sum(): void {
    const lasted = Math.round(now() - begun)
    begun = now()
    for (const [agent, { ended, samples, longest }] of windows) {
      samples.sort((one, other) => one - other)
      const at = (share: number) => samples[Math.min(samples.length - 1, Math.floor(samples.length * share))] ?? 0
      const ms = { p50: at(0.5), p95: at(0.95), max: longest }
      publish(platformEvent('performance_metric', { host, agent, windowMs: lasted, ...ended, ms }))
    }
    windows.clear()
  }

  const timer = setInterval(sum, windowMs)
  timer.unref()

  return {
    ended(task, state, lasted, error) {
      // A wall clock that was set back makes a task end before it began.
      const ms = Math.max(0, lasted)
      let window = windows.get(task.agent)
      if (window === undefined) {
        window = { ended: { completed: 0, failed: 0, cancelled: 0, rejected: 0 }, seen: 0, samples: [], longest: 0 }
        windows.set(task.agent, window)
      }
      window.ended[state] += 1
      if (ms > window.longest) window.longest = ms
      // Each end so far has the same chance to be among those kept.
      const place = window.seen < SAMPLES ? window.seen : Math.floor(Math.random() * (window.seen + 1))
      if (place < SAMPLES) window.samples[place] = ms
      window.seen += 1

      const { id, agent, tenant } = task
      for (const document of documentsIn(task.input)) {
        const data: PlatformData<'document_processed'> = { document, state, ms, task: id, agent }
        if (error !== undefined) data.error = error
        publish(platformEvent('document_processed', data, { tenant }))
      }
    },

    trouble(what, thrown, tenant) {
      const { code, message } = toTroupeError(thrown)
      // The same trouble with another task is the same trouble.
      const about = what.replaceAll(/\b(task|host|doc|msg|evt)_\w+/g, 'a $1').slice(0, 300)
      const key = `${code} ${tenant ?? ''} ${about}`
      const known = troubles.get(key)
      const toldAt = now()
      if (known !== undefined && toldAt - known.toldAt < QUIET_MS) {
        known.repeated += 1
        return
      }
      troubles.delete(key)
      if (troubles.size >= MAX_TROUBLES) troubles.delete(troubles.keys().next().value!)
      troubles.set(key, { toldAt, repeated: 0 })
      const told = { about, host, message: message.slice(0, MAX_MESSAGE), repeated: known?.repeated ?? 0 }
      publish(
        platformEvent(
          'system_alert',
          { severity: severityOf(code), code, ...told },
          tenant === undefined ? {} : { tenant },
        ),
      )
    },

    stop() {
      clearInterval(timer)
      sum()
    },
  }
}

/** The documents that an input names: `document: id`, `document: { id }`, `documents: [{ id }]`, … */
export function documentsIn(input: unknown): string[] {
  const found = new Set<string>()
  const look = (value: unknown, levels: number): void => {
    if (found.size >= MAX_DOCUMENTS) return
    if (typeof value === 'string') {
      if (value.length < 40 && isId(value, 'doc')) found.add(value)
    } else if (levels > 0 && typeof value === 'object' && value !== null) {
      // An array of a million numbers is not looked through.
      const values = Array.isArray(value) ? value.slice(0, MAX_DOCUMENTS) : Object.values(value).slice(0, MAX_DOCUMENTS)
      for (const inner of values) look(inner, levels - 1)
    }
  }
  look(input, 3)
  return [...found]
}
