// How the processes below the root read its tree and order restarts: HTTP on a loopback port, at a path that only its
// children know. The root needs no bus for it, and answers while every one of them is down.
import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { TroupeError, toErrorRecord, toTroupeError } from '../contract/errors.ts'
import type { Supervisor, TreeNode } from '../supervision/index.ts'

export interface ControlServer {
  /** For the children's environment; whoever has it may restart them. */
  readonly url: string
  /** Before this, whoever asks is told to come back. */
  serve(supervisor: Supervisor): void
  /** Tells every child that listens which host has died (deaths.ts). */
  tellDeath(origin: string): void
  close(): void
}

export async function serveControl(say: (text: string) => void): Promise<ControlServer> {
  const secret = randomBytes(32).toString('hex')
  let supervisor: Supervisor | undefined
  const listeners = new Set<ServerResponse>()

  async function answer(request: IncomingMessage): Promise<unknown> {
    if (supervisor === undefined) throw new TroupeError('unavailable', 'The supervisor is still starting.')
    if (request.method === 'GET' && request.url === `/${secret}/tree`) return supervisor.tree()
    if (request.method === 'POST' && request.url === `/${secret}/restart`) {
      const { path } = (await json(request)) as { path: string }
      const ids = childPath(supervisor.tree(), path)
      // Not awaited: the one who asks may be the one who is restarted.
      supervisor.restartAt(ids).then(
        () => say(`${ids.join('/')} was restarted on order`),
        (error: unknown) => say(`${ids.join('/')} was not restarted: ${toTroupeError(error).message}`),
      )
      return {}
    }
    throw new TroupeError('not_found', 'There is nothing here.')
  }

  const server = createServer((request, response) => {
    if (request.url === `/${secret}/deaths`) {
      response.writeHead(200, { 'content-type': 'text/plain' }).flushHeaders()
      listeners.add(response)
      response.once('close', () => listeners.delete(response))
      return
    }
    answer(request).then(
      (body) => response.end(JSON.stringify(body)),
      (thrown: unknown) => {
        response.statusCode = toTroupeError(thrown).status
        response.end(JSON.stringify(toErrorRecord(thrown)))
      },
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TroupeError('internal', 'no control port was given')
  return {
    url: `http://127.0.0.1:${address.port}/${secret}`,
    serve(running) {
      supervisor = running
    },
    tellDeath(origin) {
      for (const listener of listeners) listener.write(`${origin}\n`)
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** The ids below the root. `troupe/core` and `core` name the same child; one that is not there is refused. */
export function childPath(root: TreeNode, path: string): string[] {
  const ids = path.split('/').filter((id) => id !== '')
  if (ids[0] === root.id) ids.shift()
  let node = root
  for (const id of ids) {
    const next = node.children?.find((child) => child.id === id)
    if (next === undefined) {
      const has = node.children?.map((child) => child.id).join(', ') ?? 'none'
      throw new TroupeError('not_found', `${node.path} has no child ${id}; its children: ${has}.`)
    }
    node = next
  }
  if (ids.length === 0) throw new TroupeError('invalid_request', `${root.id} cannot restart itself: name a child.`)
  return ids
}
