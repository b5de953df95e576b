// Postgres with pgvector where the machine has none: PGlite behind a socket, in this process. One connection at a time.
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

export interface PgliteServer {
  url: string
  stop(): Promise<void>
}

export async function startPglite(): Promise<PgliteServer> {
  const db = await PGlite.create({ extensions: { vector } })
  const server = new PGLiteSocketServer({ db, port: 0, host: '127.0.0.1' })
  let port = 0
  server.addEventListener('listening', (event) => {
    port = (event as CustomEvent<{ port: number }>).detail.port
  })
  await server.start()
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      await server.stop()
      await db.close()
    },
  }
}
