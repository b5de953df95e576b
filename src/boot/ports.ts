// Ports that the root chooses once, so that a process that is started again is found at the address it had.
import { createServer } from 'node:net'
import { TroupeError } from '../contract/errors.ts'

const ATTEMPTS = 20
/** Below what Linux (32768) and others (49152) take for the ends of connections. */
const FIRST_LASTING = 12_000
const LASTING = 20_000
/** Nothing listens there yet, so nothing but this tells that they are given away. */
const given = new Set<number>()

/** The port, or a free one for 0. Refused with `address_in_use` when something listens there. */
export async function claimPort(host: string, port: number): Promise<number> {
  try {
    if (port === 0) return await preferPort(host, 0)
    await listenOnce(host, port)
    given.add(port)
    return port
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new TroupeError('address_in_use', `Port ${port} of ${host} is taken.`)
    throw new TroupeError(
      'configuration_invalid',
      `Nothing can listen on ${host}:${port}: ${message.replace(/\.$/, '')}.`,
    )
  }
}

/** A wanted port where it is free, because a person recognises 8001; any other where it is not. */
export async function preferPort(host: string, port: number): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const chosen = attempt === 0 && port !== 0 ? port : lastingPort()
      if (given.has(chosen)) continue
      await listenOnce(host, chosen)
      given.add(chosen)
      return chosen
    } catch {
      // Taken: another one.
    }
  }
  const last = await listenOnce(host, 0)
  given.add(last)
  return last
}

/**
 * Chosen now, listened on by a process that has yet to start. What the system gives for 0 comes out of the range of which it
 * takes the ends of connections too, and in a moment it may be one of those.
 */
function lastingPort(): number {
  return FIRST_LASTING + Math.floor(Math.random() * LASTING)
}

async function listenOnce(host: string, port: number): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : port
}
