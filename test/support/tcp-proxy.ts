// A TCP proxy that can lose answers (what the server did is done, and the client never hears of it) and can stand for a
// network that is cut: nothing gets through, nobody is told.
import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface TcpProxy {
  port: number
  /** The next bytes from the server are dropped and the connection they came on is cut. Resolves when that happened. */
  loseNextAnswer(): Promise<void>
  /** Nothing passes any more, in either direction; connections stay open, and new ones are taken and left silent. */
  partition(): void
  /** The network is back; what was open during the partition is cut, as its packets are lost. */
  heal(): void
  close(): Promise<void>
}

/** A proxy before the server of a URL, for one test, and the URL that leads through it. */
export async function proxied(t: TestContext, server: string): Promise<{ proxy: TcpProxy; url: string }> {
  const url = new URL(server)
  const proxy = await openTcpProxy({ host: url.hostname, port: Number(url.port) })
  t.after(() => proxy.close())
  url.port = String(proxy.port)
  return { proxy, url: url.href }
}

export async function openTcpProxy(target: { host: string; port: number }, address = '127.0.0.1'): Promise<TcpProxy> {
  const open = new Set<Socket>()
  let lose: (() => void) | undefined
  let parted = false
  const server = createServer((client) => {
    open.add(client)
    client.on('error', () => {})
    client.on('close', () => open.delete(client))
    if (parted) return
    const upstream = connect(target)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        open.delete(socket)
        if (parted) return
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (bytes) => {
      if (!parted) upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (parted) return
      if (lose === undefined) {
        client.write(bytes)
        return
      }
      lose()
      lose = undefined
      client.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('no port was given')
  return {
    port: bound.port,
    loseNextAnswer: () =>
      new Promise((resolve) => {
        lose = resolve
      }),
    partition() {
      parted = true
    },
    heal() {
      parted = false
      for (const socket of open) socket.destroy()
    },
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
