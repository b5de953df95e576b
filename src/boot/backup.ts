// Backup and restore of an embedded installation. A backup is a folder: each database copied by SQLite's online backup,
// which gives a consistent copy while Troupe writes on, and the contents of the blob stores. Databases first: a blob is
// on disk before the row that names it, so a blob that a copied row names is there when the blobs are copied.
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite'
import { pipeline } from 'node:stream/promises'
import { TroupeError } from '../contract/errors.ts'
import { lockFolder } from './folder-lock.ts'

const MANIFEST = 'backup.json'
/** Databases may be anywhere below the data folder; these folders hold one file for each content. */
const BLOB_FOLDERS = ['blobs', 'values']
const SKIPPED = new Set(['cache', 'incoming', 'lock', 'up.lock', 'up.json', MANIFEST])

interface Manifest {
  format: 1
  madeAt: string
  /** sha256 by path: a restore checks each before it touches the data folder. */
  files: Record<string, string>
}

export interface BackupReport {
  files: number
  bytes: number
}

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
  for (const path of (await filesBelow(dataFolder)).filter(isBlob)) await copy(dataFolder, target, path)
  const manifest: Manifest = { format: 1, madeAt: new Date().toISOString(), files: {} }
  let bytes = 0
  for (const path of await filesBelow(target)) {
    const { sha256, length } = await hashOf(join(target, path))
    manifest.files[path] = sha256
    bytes += length
  }
  // Last: a backup that broke off has none, and is refused.
  await writeFile(join(target, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`)
  return { files: Object.keys(manifest.files).length, bytes }
}

/** Into a folder that is empty or does not exist: what is there already is never overwritten. */
export async function restore(source: string, dataFolder: string): Promise<BackupReport> {
  const manifest = await readManifest(source)
  if (existsSync(join(dataFolder, 'up.lock'))) (await lockFolder(dataFolder)).release()
  await mustBeEmpty(dataFolder)
  let bytes = 0
  for (const [path, sha256] of Object.entries(manifest.files)) {
    const found = await hashOf(join(source, path)).catch(() => undefined)
    if (found?.sha256 !== sha256) {
      throw new TroupeError(
        'journal_corrupt',
        `${join(source, path)} is ${found === undefined ? 'missing' : 'damaged'}.`,
      )
    }
    bytes += found.length
  }
  await mkdir(dataFolder, { recursive: true, mode: 0o700 })
  try {
    for (const path of Object.keys(manifest.files)) await copy(source, dataFolder, path)
  } catch (error) {
    // Half of a restore would start as if it were all.
    await rm(dataFolder, { recursive: true, force: true })
    throw error
  }
  return { files: Object.keys(manifest.files).length, bytes }
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

/** Relative paths. A database's journal files belong to its copy, and are not copied beside it. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split('/').some((part) => SKIPPED.has(part)) && !/\.db-(wal|shm|journal)$/.test(path))
    .sort()
}

async function mustBeEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new TroupeError('invalid_command', `${folder} is not a folder that can be read: ${error.message}.`)
  })
  if (entries.length > 0) throw new TroupeError('wrong_state', `${folder} is not empty; name a new folder.`)
}

async function readManifest(folder: string): Promise<Manifest> {
  try {
    return JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as Manifest
  } catch {
    throw new TroupeError('invalid_command', `${folder} is not a whole backup: it has no readable ${MANIFEST}.`)
  }
}

async function hashOf(file: string): Promise<{ sha256: string; length: number }> {
  const hash = createHash('sha256')
  let length = 0
  await pipeline(createReadStream(file), async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) {
      hash.update(piece)
      length += piece.byteLength
    }
  })
  return { sha256: hash.digest('hex'), length }
}
