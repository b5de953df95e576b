// Opens the file: the lock that refuses a second process, the settings that make a commit durable, the check after a
// crash. Turns SQLite's errors into coded ones.

import { existsSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { TroupeError, toTroupeError } from '../../contract/errors.ts'
import { migrate, schemaOf } from './schema.ts'

export interface OpenDatabase {
  db: DatabaseSync
  close(): void
}

/** Made once the file has its tables. */
export const VALUES_FOLDER = 'values'

export async function openDatabase(folder: string): Promise<OpenDatabase> {
  await mkdir(folder, { recursive: true })
  const lock = holdLock(folder)
  const file = join(folder, 'journal.db')
  try {
    const lived = existsSync(file) && existsSync(join(folder, VALUES_FOLDER))
    const db = new DatabaseSync(file)
    try {
      if (lived) mustHoldSomething(db, file)
      prepareFile(db, file)
    } catch (thrown) {
      db.close()
      throw thrown
    }
    return {
      db,
      close() {
        db.exec("UPDATE opened SET by = ''")
        db.close()
        lock.close()
      },
    }
  } catch (thrown) {
    lock.close()
    throw storeError(thrown, file)
  }
}

/** Cut to nothing, or without the log beside it that held all, a file looks like a new one. */
function mustHoldSomething(db: DatabaseSync, file: string): void {
  if (schemaOf(db) > 0) return
  throw new TroupeError(
    'journal_corrupt',
    `${file} is empty, and it was not: there is a folder ${VALUES_FOLDER} beside it. Restore a backup, or remove the file to begin anew.`,
  )
}

function prepareFile(db: DatabaseSync, file: string): void {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000')
  db.exec('PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768; PRAGMA journal_size_limit = 67108864')
  db.exec('CREATE TABLE IF NOT EXISTS opened (by TEXT NOT NULL) STRICT')
  const before = db.prepare('SELECT by FROM opened').get()?.by
  if (before !== undefined && before !== '' && needsCheck(db, before)) check(db, file)
  migrate(db, file)
  db.prepare(before === undefined ? 'INSERT INTO opened VALUES (?)' : 'UPDATE opened SET by = ?').run(bootId())
}

const ALWAYS_CHECKED_BYTES = 32 * 1024 * 1024

/**
 * A killed process leaves whole pages behind (the kernel has them), so after one only a small file is read through,
 * or a restart would take longer the more there is to recover. After a crash of the machine every file is.
 */
function needsCheck(db: DatabaseSync, openedBy: unknown): boolean {
  if (openedBy !== bootId()) return true
  const pages = Number(db.prepare('PRAGMA page_count').get()?.page_count ?? 0)
  const pageSize = Number(db.prepare('PRAGMA page_size').get()?.page_size ?? 0)
  return pages * pageSize <= ALWAYS_CHECKED_BYTES
}

function check(db: DatabaseSync, file: string): void {
  const found = db.prepare('PRAGMA quick_check(1)').get()?.quick_check
  if (found !== 'ok') throw new TroupeError('journal_corrupt', `${file} is damaged: ${found}`)
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return 'unknown'
  }
}

/**
 * A lock of the operating system, taken through SQLite: it vanishes with the process, kill -9 included, and knows
 * nothing of process ids that a reboot hands out again.
 */
function holdLock(folder: string): DatabaseSync {
  const file = join(folder, 'lock')
  const db = new DatabaseSync(file, { timeout: 0 })
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return db
  } catch (thrown) {
    db.close()
    if (sqliteCode(thrown) === SQLITE_BUSY) {
      throw new TroupeError('journal_locked', `${folder} is in use by another process`, { cause: thrown })
    }
    throw storeError(thrown, file)
  }
}

const SQLITE_BUSY = 5
const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
export const SQLITE_CONSTRAINT = 19
const SQLITE_NOTADB = 26

/** SQLite's primary result code, or `undefined` when the error is not SQLite's. */
export function sqliteCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number') return undefined
  return thrown.errcode & 0xff
}

export function storeError(thrown: unknown, file: string): TroupeError {
  if (thrown instanceof TroupeError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  switch (sqliteCode(thrown)) {
    case SQLITE_FULL:
      return new TroupeError('disk_full', `no space left for ${file}`, { cause: thrown })
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new TroupeError('journal_corrupt', `${file} is damaged: ${message}`, { cause: thrown })
    case SQLITE_BUSY:
    case SQLITE_IOERR:
      return new TroupeError('journal_unavailable', `${file} cannot be used now: ${message}`, { cause: thrown })
    default:
      return toTroupeError(thrown)
  }
}
