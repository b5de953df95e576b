// Backup and restore of an embedded installation (backup-postgres.ts: of a cluster’s database). A backup is a folder:
// each database copied by SQLite's online backup, which gives a consistent copy while Troupe writes on, and the contents
// of the blob stores. Databases first: a blob is on disk before the row that names it, so a blob that a copied row names
// is there when the blobs are copied.
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite'
import { TroupeError } from '../contract/errors.ts'
import { type BackupReport, checkFiles, MANIFEST, mustBeEmpty, readManifest, writeManifest } from './backup-manifest.ts'
import { lockFolder } from './folder-lock.ts'

/** Databases may be anywhere below the data folder; these folders hold one file for each content. */
const BLOB_FOLDERS = ['blobs', 'values']
const SKIPPED = new Set(['cache', 'incoming', 'lock', 'up.lock', 'up.json', MANIFEST])

export async function backUp(dataFolder: string, target: string): Promise<BackupReport> {
  if (!existsSync(join(dataFolder, 'journal.db'))) {
    throw new TroupeError('invalid_command', `${dataFolder} holds no Troupe data.`)
  }
  await mustBeEmpty(target)
  await mkdir(target, { recursive: true, mode: 0o700 })
  const all = await filesBelow(dataFolder)
  const isBlob = (path: string) => BLOB_FOLDERS.includes(path.split('/')[0]!)
  for (const path of all.filter((path) => path.endsWith('.db'))) await copyOpenDatabase(dataFolder, target, path)
  for (const path of all.filter((path) => !path.endsWith('.db') && !isBlob(path))) await copy(dataFolder, target, path)
  // Looked up again: blobs that came while the databases were copied are named by them.
  for (const path of (await filesBelow(dataFolder)).filter(isBlob)) await copyBlob(dataFolder, target, path)
  // Last: a backup that broke off has no manifest, and is refused.
  const paths = await filesBelow(target)
  return await writeManifest(target, { format: 1, madeAt: new Date().toISOString() }, paths)
}

/** Into a folder that is empty or does not exist: what is there already is never overwritten. */
export async function restore(source: string, dataFolder: string): Promise<BackupReport> {
  const manifest = await readManifest(source)
  if (manifest.format !== 1) {
    const message = `${source} is of a database: set TROUPE_POSTGRES_URL and TROUPE_NATS_URL to restore it.`
    throw new TroupeError('wrong_state', message)
  }
  if (existsSync(join(dataFolder, 'up.lock'))) (await lockFolder(dataFolder)).release()
  await mustBeEmpty(dataFolder)
  const report = await checkFiles(source, manifest)
  await mkdir(dataFolder, { recursive: true, mode: 0o700 })
  try {
    for (const path of Object.keys(manifest.files)) await copy(source, dataFolder, path)
  } catch (error) {
    // Half of a restore would start as if it were all.
    await rm(dataFolder, { recursive: true, force: true })
    throw error
  }
  return report
}

async function copyOpenDatabase(from: string, to: string, path: string): Promise<void> {
  await mkdir(dirname(join(to, path)), { recursive: true, mode: 0o700 })
  const source = new DatabaseSync(join(from, path), { readOnly: true })
  try {
    await copyDatabase(source, join(to, path))
  } finally {
    source.close()
  }
}

async function copy(from: string, to: string, path: string): Promise<void> {
  await mkdir(dirname(join(to, path)), { recursive: true, mode: 0o700 })
  await copyFile(join(from, path), join(to, path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOSPC') throw new TroupeError('disk_full', `no space left for ${join(to, path)}`)
    throw error
  })
}

/** One that was deleted meanwhile is not in the backup. */
async function copyBlob(from: string, to: string, path: string): Promise<void> {
  await copy(from, to, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

/** Relative paths. A database's journal files belong to its copy, a lock's to who holds it: neither is copied. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter(
      (path) => !path.split('/').some((part) => SKIPPED.has(part)) && !/(\.db|lock)-(wal|shm|journal)$/.test(path),
    )
    .sort()
}
