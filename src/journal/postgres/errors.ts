// What an error of pg or Postgres means for who asked: try again at once, connect anew, or tell the caller.
import { TroupeError, toTroupeError } from '../../contract/errors.ts'

export type Failure =
  /** Rolled back for the sake of another transaction: the same again will do. */
  | 'collision'
  /** The connection or the server went away, and with it perhaps the answer. */
  | 'connection'
  /** The statement itself was refused. */
  | 'refused'

const COLLISIONS = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '57014', // query_canceled: by an administrator, or by his statement_timeout
  '23505', // unique_violation: a receiver was made between the locks and the letters
])

// admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections, idle_session_timeout; and
// read_only_sql_transaction: the server became a standby, and the address may lead to another one by now
const GONE = new Set(['57P01', '57P02', '57P03', '53300', '57P05', '25006'])

/** undefined_function, undefined_table, undefined_column: all that this version asks for was there when it began. */
const MIGRATED_AWAY = new Set(['42883', '42P01', '42703'])

export function failureOf(thrown: unknown): Failure {
  const code = codeOf(thrown)
  if (code === undefined) return 'connection'
  if (COLLISIONS.has(code)) return 'collision'
  return GONE.has(code) || code.startsWith('08') || !isSqlState(code) ? 'connection' : 'refused'
}

/** A key is in use. */
export function isTaken(thrown: unknown): boolean {
  return codeOf(thrown) === '23505'
}

export function storeError(thrown: unknown): TroupeError {
  if (thrown instanceof TroupeError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const code = codeOf(thrown)
  if (code === '53100') return new TroupeError('disk_full', `Postgres: ${message}`, { cause: thrown })
  if (code === 'XX001' || code === 'XX002') {
    return new TroupeError('journal_corrupt', `Postgres: ${message}`, { cause: thrown })
  }
  if (code !== undefined && MIGRATED_AWAY.has(code)) {
    const why = 'another Troupe has migrated the database since this process began'
    return new TroupeError('journal_newer', `Postgres: ${message}: ${why}`, { cause: thrown })
  }
  if (code?.startsWith('28') || code === '3D000') {
    return new TroupeError('configuration_invalid', `Postgres refuses the connection: ${message}`, { cause: thrown })
  }
  if (failureOf(thrown) !== 'refused') {
    return new TroupeError('journal_unavailable', `Postgres does not answer: ${message || code}`, { cause: thrown })
  }
  return toTroupeError(thrown)
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
}

function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code)
}
