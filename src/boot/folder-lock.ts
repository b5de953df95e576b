// One `troupe up` for each data folder. The lock is the operating system's, taken through SQLite, so it vanishes with
// its process, kill -9 included.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { TroupeError } from '../contract/errors.ts'

/** Held by `troupe up` for as long as it lives. */
const ROOT_LOCK = 'up.lock'
/** Held by whoever has the journal open (journal/sqlite/database.ts). */
const JOURNAL_LOCK = 'lock'

/** The processes of a root that was killed leave within their grace; then their journal is free. */
const ORPHANS_MS = 5_000
const LOOK_MS = 50

export interface FolderLock {
  release(): void
}

/** Makes the folder, and refuses with `journal_locked` when another process uses it. */
export async function lockFolder(folder: string): Promise<FolderLock> {
  // 0700: the folder holds the admin key and everybody's documents.
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const root = take(folder, ROOT_LOCK)
  if (root === undefined) throw inUse(folder)
  const patience = Date.now() + ORPHANS_MS
  while (isInUse(folder)) {
    if (Date.now() > patience) {
      root.release()
      throw inUse(folder)
    }
    await wait(LOOK_MS)
  }
  return root
}

function isInUse(folder: string): boolean {
  const journal = take(folder, JOURNAL_LOCK)
  journal?.release()
  return journal === undefined
}

function take(folder: string, file: string): FolderLock | undefined {
  const db = new DatabaseSync(join(folder, file), { timeout: 0 })
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return { release: () => db.close() }
  } catch (thrown) {
    db.close()
    if (thrown instanceof Error && 'errcode' in thrown && thrown.errcode === SQLITE_BUSY) return undefined
    throw thrown
  }
}

const SQLITE_BUSY = 5

function inUse(folder: string): TroupeError {
  return new TroupeError('journal_locked', `${folder} is in use by another process.`)
}
