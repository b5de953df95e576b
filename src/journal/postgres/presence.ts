// Is there a journal in this database? To open one makes it; who only wants to read one asks first.
import { openReaders } from './readers.ts'

const PATIENCE_MS = 4_000

export async function holdsJournal({ url, schema = 'troupe' }: { url: string; schema?: string }): Promise<boolean> {
  const closing = new AbortController()
  const readers = openReaders({ url, schema, patienceMs: PATIENCE_MS }, 1, closing.signal)
  try {
    const sql = 'SELECT to_regclass($1) IS NOT NULL AS there'
    const [row] = await readers.rows<{ there: boolean }>(undefined, sql, [`${schema}.migrations`])
    return row?.there === true
  } finally {
    closing.abort()
    await readers.close()
  }
}
