// What every process of Troupe has in common: it says when it is ready, stops in good order when told to, ends when
// its parent has gone, and explains in one line why it could not start.
import { toTroupeError } from '../contract/errors.ts'

export interface RunningProcess {
  /** Told to the parent together with `ready`. */
  facts?: Record<string, string | number>
  stop(): Promise<void>
}

/** A stop that takes longer is a hang: better a restart than a process that never goes. */
const STOP_LIMIT_MS = 30_000

export async function runProcess(start: () => Promise<RunningProcess>): Promise<void> {
  let running: RunningProcess
  try {
    running = await start()
  } catch (thrown) {
    const error = toTroupeError(thrown)
    console.error(`${error.code}: ${error.message} ${error.fix}`)
    if (error.code === 'internal') console.error(thrown)
    process.exit(1)
  }
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref()
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // The parent has gone: whoever started us can no longer stop us.
  if (process.send !== undefined) {
    process.on('disconnect', stop)
    process.send({ ready: true, ...running.facts })
  } else if (running.facts !== undefined) {
    console.error(
      Object.entries(running.facts)
        .map(([name, value]) => `${name} ${value}`)
        .join('  '),
    )
  }
}
