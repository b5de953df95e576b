// The other side of process-child.ts: what a process does to be a good child. It says when it is ready, answers when it
// is asked whether it hangs, drains when it is asked to, and does not outlive its parent. It reads nothing but its own
// signals and its IPC channel, so the same process also runs alone (a pod, a terminal), where there is no parent to watch.
import type { Facts } from './child-spec.ts'

/** EX_TEMPFAIL of sysexits.h: it gave its work back, and did not crash (P8). */
export const EXIT_DRAINED = 75

/** The parent asks whether this process hangs; it does not, so it can answer. */
export const PING = { ping: true }
const PONG = { pong: true }

/** `asked`: SIGTERM or SIGINT. `orphaned`: the parent is gone, so nobody will kill us if we take too long. */
export type DrainCause = 'asked' | 'orphaned'

export interface ChildSideOptions {
  /** Gives the running work back and lets go of everything. The process exits afterwards. */
  drain(cause: DrainCause): Promise<void>
  /** Milliseconds an orphan has for its drain. Default 2,000: its successor may already be starting. */
  grace?: number
  /** Milliseconds between looks at who the parent is, for when the channel says nothing. Default 1,000. */
  pollEvery?: number
}

export interface ChildSide {
  /** Opens the readiness gate. The facts (a port, a version) show in the live tree. */
  ready(facts?: Facts): void
  /** Stops listening and watching, for a process that ends by itself. */
  leave(): void
}

export function underSupervisor(options: ChildSideOptions): ChildSide {
  const { grace = 2_000, pollEvery = 1_000 } = options
  let draining = false
  const drainAndExit = (cause: DrainCause): void => {
    if (draining) return
    draining = true
    if (cause === 'orphaned') setTimeout(() => process.exit(EXIT_DRAINED), grace)
    options.drain(cause).then(
      // Alone (a terminal, a pod) a drain is an ordinary end.
      () => process.exit(process.send === undefined ? 0 : EXIT_DRAINED),
      (thrown: unknown) => {
        process.stderr.write(`the drain failed: ${thrown instanceof Error ? thrown.stack : String(thrown)}\n`)
        process.exit(1)
      },
    )
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    // Whoever asks twice does not want to wait.
    if (draining) process.exit(signal === 'SIGINT' ? 130 : 143)
    drainAndExit('asked')
  }
  const onOrphaned = (): void => drainAndExit('orphaned')

  const onMessage = (message: unknown): void => {
    const isPing = typeof message === 'object' && message !== null && 'ping' in message
    if (isPing && process.connected) process.send?.(PONG, () => undefined)
  }

  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  let poll: NodeJS.Timeout | undefined
  if (process.send !== undefined) {
    process.on('disconnect', onOrphaned)
    process.on('message', onMessage)
    // Listening keeps the channel, and with it a process that has nothing left to do, alive.
    process.channel?.unref()
    // An orphan is given a new parent. The channel stays open should the parent's other child have inherited its end.
    const parent = process.ppid
    poll = setInterval(() => {
      if (process.ppid !== parent) onOrphaned()
    }, pollEvery).unref()
    // The parent may have died before anyone listened.
    if (!process.connected) onOrphaned()
  }
  return {
    ready(facts = {}) {
      // A parent that dies at this very moment is noticed by the watch; the failed message is no news.
      if (process.connected) process.send?.({ ready: true, facts }, () => undefined)
    },
    leave() {
      process.off('SIGTERM', onSignal)
      process.off('SIGINT', onSignal)
      process.off('disconnect', onOrphaned)
      process.off('message', onMessage)
      clearInterval(poll)
    },
  }
}

/** The facts of a ready message, or undefined when the message is something else. */
export function readyFacts(message: unknown): Facts | undefined {
  if (typeof message !== 'object' || message === null || !('ready' in message) || message.ready !== true)
    return undefined
  const facts: Facts = {}
  if ('facts' in message && typeof message.facts === 'object' && message.facts !== null) {
    for (const [name, fact] of Object.entries(message.facts)) {
      if (typeof fact === 'string' || typeof fact === 'number') facts[name] = fact
    }
  }
  return facts
}
