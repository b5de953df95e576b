// One `troupe up` for each data folder. The lock is the operating system's, taken through SQLite, so it vanishes with
// its process, kill -9 included.
import { statSync } from 'node:fs'
import { access, constants, mkdir, stat } from 'node:fs/promises'
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
  const unusable = (error: Error) => {
    throw new TroupeError('configuration_invalid', `${folder} cannot be the data folder: ${error.message}.`)
  }
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(unusable)
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK).catch(unusable)
  const root = take(folder, ROOT_LOCK)
  if (root === undefined) throw inUse(folder)
  const patience = performance.now() + ORPHANS_MS
  while (isInUse(folder)) {
    if (performance.now() > patience) {
      root.release()
      throw inUse(folder)
    }
    await wait(LOOK_MS)
  }
  return root
}

const WATCH_MS = 1_000
/** What a running installation writes to, open files or not. */
const WATCHED = [ROOT_LOCK, 'journal.db']

/**
 * Tells once when the folder is not the one any more that was locked. Files that were removed can still be written to: an
 * installation would go on accepting what nobody can ever read again (P1).
 */
export function watchFolder(folder: string, onGone: (error: TroupeError) => void): { stop(): void } {
  const known = new Map<string, number>()
  for (const file of WATCHED) {
    // At once: whoever reads that Troupe runs may remove the folder before anything is looked at.
    const found = statSync(join(folder, file), { throwIfNoEntry: false })
    if (found !== undefined) known.set(file, found.ino)
  }
  const timer = setInterval(() => void look(), WATCH_MS)
  timer.unref()

  async function look(): Promise<void> {
    for (const file of WATCHED) {
      const before = known.get(file)
      const now = await inodeOf(join(folder, file))
      if (before === undefined && typeof now === 'number') known.set(file, now)
      if (before === undefined || now === 'unknown' || now === before) continue
      clearInterval(timer)
      const what = `${join(folder, file)} was removed or replaced while Troupe ran: what it accepted since is lost.`
      return onGone(new TroupeError('journal_corrupt', what))
    }
  }
  return { stop: () => clearInterval(timer) }
}

async function inodeOf(path: string): Promise<number | 'gone' | 'unknown'> {
  try {
    return (await stat(path)).ino
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'gone' : 'unknown'
  }
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
