// What makes a folder a backup: `backup.json`, written last, names every file with its hash. A folder without it broke
// off or is none; one whose files differ is damaged; one of a newer Troupe is not guessed at.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { TroupeError } from '../contract/errors.ts'
import type { TableCopy } from '../journal/postgres/copy.ts'

export const MANIFEST = 'backup.json'
const KNOWN_FORMAT = 2

export interface Manifest {
  /** 1: of a data folder. 2: of a database. */
  format: number
  madeAt: string
  /** sha256 by path. */
  files: Record<string, string>
  /** Of a database: what the files hold, and the versions of its schemas. */
  tables?: (TableCopy & { file: string; rows: number })[]
  versions?: Record<string, number>
}

export interface BackupReport {
  files: number
  bytes: number
}

export async function writeManifest(folder: string, manifest: Omit<Manifest, 'files'>, paths: string[]) {
  const files: Manifest['files'] = {}
  let bytes = 0
  for (const path of paths) {
    const { sha256, length } = await hashOf(join(folder, path))
    files[path] = sha256
    bytes += length
  }
  const fresh = join(folder, `${MANIFEST}.new`)
  await writeFile(fresh, `${JSON.stringify({ ...manifest, files }, null, 2)}\n`)
  await rename(fresh, join(folder, MANIFEST))
  return { files: paths.length, bytes }
}

export async function readManifest(folder: string): Promise<Manifest> {
  let manifest: Partial<Manifest> | undefined
  try {
    manifest = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8'))
  } catch {
    throw new TroupeError('invalid_command', `${folder} is not a whole backup: it has no readable ${MANIFEST}.`)
  }
  if (!Number.isInteger(manifest?.format) || typeof manifest?.files !== 'object' || manifest.files === null) {
    throw new TroupeError('invalid_command', `${join(folder, MANIFEST)} is not of a backup of Troupe’s.`)
  }
  if (manifest.format! > KNOWN_FORMAT) {
    const message = `${folder} has format ${manifest.format}; this Troupe knows formats up to ${KNOWN_FORMAT}.`
    throw new TroupeError('journal_newer', message)
  }
  const escaping = Object.keys(manifest.files).find((path) => /^\/|(^|\/)\.\.(\/|$)/.test(path))
  if (escaping !== undefined) {
    throw new TroupeError('invalid_command', `${join(folder, MANIFEST)} names ${escaping}, outside of it.`)
  }
  return manifest as Manifest
}

/** Every file before the first is used. */
export async function checkFiles(folder: string, { files }: Manifest): Promise<BackupReport> {
  let bytes = 0
  for (const [path, sha256] of Object.entries(files)) {
    const found = await hashOf(join(folder, path)).catch(() => undefined)
    if (found?.sha256 !== sha256) {
      const what = found === undefined ? 'missing' : 'damaged'
      throw new TroupeError('backup_damaged', `${join(folder, path)} is ${what}.`)
    }
    bytes += found.length
  }
  return { files: Object.keys(files).length, bytes }
}

export async function mustBeEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new TroupeError('invalid_command', `${folder} is not a folder that can be read: ${error.message}.`)
  })
  if (entries.length > 0) throw new TroupeError('wrong_state', `${folder} is not empty; name a new folder.`)
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
