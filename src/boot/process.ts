// What every process of Troupe has in common: it says when it is ready, drains when told to, ends when its parent has
// gone, and explains in one line why it could not start.
import { flushCompileCache } from 'node:module'
import { toTroupeError } from '../contract/errors.ts'
import { underSupervisor } from '../supervision/child-side.ts'

export interface RunningProcess {
  /** Told to the parent with the ready message, or to the terminal: a port, an address. */
  facts?: Record<string, string | number>
  stop(): Promise<void>
}

export async function runProcess(start: () => Promise<RunningProcess>): Promise<void> {
  const starting = start()
  // Watched from the first moment: a parent that dies while its child starts takes it along.
  const side = underSupervisor({
    drain: async () => {
      await (await starting).stop()
    },
  })
  try {
    const { facts } = await starting
    // Node keeps what it compiled only when it exits, and a killed process never does: its successor would start slowly.
    // After a first start that holds the event loop, on a busy machine for seconds: before anyone counts on an answer.
    flushCompileCache()
    side.ready(facts)
    if (process.send === undefined && facts !== undefined) {
      console.error(
        Object.entries(facts)
          .map(([name, value]) => `${name} ${value}`)
          .join('  '),
      )
    }
  } catch (thrown) {
    const error = toTroupeError(thrown)
    console.error(error.words)
    if (error.code === 'internal') console.error(thrown)
    process.exit(1)
  }
}
