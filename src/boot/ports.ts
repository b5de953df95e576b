// Ports that the root chooses once, so that a process that is started again is found at the address it had.
import { createServer } from 'node:net'
import { TroupeError } from '../contract/errors.ts'

/** The port, or a free one for 0. Refused with `address_in_use` when something listens there. */
export async function claimPort(host: string, port: number): Promise<number> {
  try {
    return await listenOnce(host, port)
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
  try {
    return await listenOnce(host, port)
  } catch {
    return await listenOnce(host, 0)
  }
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
