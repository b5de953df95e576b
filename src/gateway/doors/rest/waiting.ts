// A request that waits for a task is a small stream: it counts as one, and ends early when its caller hangs up or the
// gateway drains. The task goes on.
import type { ServerResponse } from 'node:http'
import type { Streams } from '../../streams.ts'

/** Throws `overloaded` before `work` begins when too many wait already. */
export async function whileWaiting<Result>(
  streams: Streams,
  tenant: string,
  response: ServerResponse,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController()
  const end = () => stop.abort()
  // Its credential was checked a moment ago; it does not wait long enough to check again.
  const release = streams.open({ tenant, end, recheck: () => {} })
  response.once('close', end)
  try {
    return await work(stop.signal)
  } finally {
    response.off('close', end)
    release()
  }
}
