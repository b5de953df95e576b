// A small pool for everything that is not the hot path: reads, leases, sweeps. What goes through here may be asked twice.
import pg from 'pg'
import { type Address, clientConfig, persist } from './connection.ts'

export interface Readers {
  /** With a name the statement is prepared once per connection. */
  rows<Row>(name: string | undefined, text: string, values: unknown[], patienceMs?: number): Promise<Row[]>
  /** A connection of its own, for what takes several statements. */
  withClient<T>(work: (client: pg.PoolClient) => Promise<T>, patienceMs?: number): Promise<T>
  close(): Promise<void>
}

/** pg's own limit, which frees the connection, comes after ours: it does not look whether an answer has arrived. */
const AFTER_MS = 500

export function openReaders(address: Address, size: number, closing: AbortSignal): Readers {
  // Without a limit a statement that is never answered would keep its connection for as long as TCP hopes on: minutes.
  const pool = new pg.Pool({ ...clientConfig(address), max: size, query_timeout: address.patienceMs + AFTER_MS })
  // A lost connection is replaced by the next call, and a call under way tells whoever asks. The listeners only keep the
  // process alive: the pool hears idle connections, and no one hears those in use.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))

  return {
    rows: (name, text, values, most = address.patienceMs) => {
      const patienceMs = Math.min(most, address.patienceMs)
      return persist(patienceMs, closing, async () => {
        const query: pg.QueryConfig & { query_timeout: number } = { text, values, query_timeout: patienceMs + AFTER_MS }
        if (name !== undefined) query.name = name
        return (await pool.query(query)).rows
      })
    },

    withClient: (work, patienceMs = address.patienceMs) =>
      persist(patienceMs, closing, async () => {
        const client = await pool.connect()
        let broken: Error | undefined
        try {
          return await work(client)
        } catch (thrown) {
          broken = thrown instanceof Error ? thrown : new Error(String(thrown))
          throw thrown
        } finally {
          client.release(broken)
        }
      }),

    close: () => pool.end(),
  }
}
