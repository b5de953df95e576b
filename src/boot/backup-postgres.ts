// Backup and restore of a cluster's database: journal, blobs, documents, keys and audit trail, as of one moment, while the
// cluster goes on. Copied by Troupe itself: pg_dump of the server's version is not where Troupe runs. NATS holds nothing
// that the journal does not know. Collections in pgvector are the retrieval worker's own and are not in it.
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { TroupeError } from '../contract/errors.ts'
import { openPostgresGatewayStore } from '../gateway/index.ts'
import { copyIn, copyOut } from '../journal/postgres/copy.ts'
import { openPostgresJournal } from '../journal/postgres/index.ts'
import {
  type BackupReport,
  checkFiles,
  type Manifest,
  mustBeEmpty,
  readManifest,
  writeManifest,
} from './backup-manifest.ts'

const SCHEMAS = ['troupe', 'troupe_gateway']
/** Each schema's own record of its version: made by whoever opens it, compared before a restore. */
const VERSIONS: Record<string, string> = { 'troupe.migrations': 'number', 'troupe_gateway.migration': 'version' }
/** Answers that were kept for connections of now. */
const FLEETING = ['troupe.lanes']

export async function backUpPostgres(url: string, target: string): Promise<BackupReport> {
  await mustBeEmpty(target)
  await mkdir(target, { recursive: true, mode: 0o700 })
  const tables: NonNullable<Manifest['tables']> = []
  const versions: Record<string, number> = {}
  await copyOut(url, { schemas: SCHEMAS, skipped: FLEETING }, async (copy, lines) => {
    const name = `${copy.schema}.${copy.table}`
    const versionColumn = VERSIONS[name]
    if (versionColumn !== undefined) {
      const numbers: number[] = []
      for await (const line of lines) numbers.push(Number(JSON.parse(line)[versionColumn]))
      versions[copy.schema] = Math.max(0, ...numbers)
      return
    }
    const file = `${name}.ndjson.gz`
    let rows = 0
    const counted = async function* () {
      for await (const line of lines) {
        rows += 1
        yield `${line}\n`
      }
    }
    await pipeline(
      Readable.from(counted()),
      createGzip(),
      createWriteStream(join(target, file), { mode: 0o600 }),
    ).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOSPC') throw new TroupeError('disk_full', `no space left for ${join(target, file)}`)
      throw error
    })
    tables.push({ ...copy, file, rows })
  })
  if (versions.troupe === undefined) {
    throw new TroupeError('invalid_command', 'The database of TROUPE_POSTGRES_URL holds no Troupe data.')
  }
  const manifest = { format: 2, madeAt: new Date().toISOString(), tables, versions }
  return await writeManifest(
    target,
    manifest,
    tables.map(({ file }) => file),
  )
}

/** Into an empty database: what is there already is never overwritten. */
export async function restorePostgres(source: string, url: string): Promise<BackupReport> {
  const manifest = await readManifest(source)
  const { tables, versions } = manifest
  if (manifest.format !== 2 || tables === undefined || versions === undefined) {
    const message = `${source} is of a data folder: restore it without TROUPE_POSTGRES_URL, with --data.`
    throw new TroupeError('wrong_state', message)
  }
  const report = await checkFiles(source, manifest)
  const unhashed = tables.find(({ file }) => manifest.files[file] === undefined)
  if (unhashed !== undefined) throw new TroupeError('backup_damaged', `${source} names no hash of ${unhashed.file}.`)
  await laySchemas(url)
  await sameVersions(url, versions)
  await copyIn(url, tables, ({ file }) => linesOf(join(source, file)))
  return report
}

/** As every process does at its start. */
async function laySchemas(url: string): Promise<void> {
  const journal = await openPostgresJournal({ url })
  await journal.close()
  const store = await openPostgresGatewayStore({ url })
  await store.close()
}

async function sameVersions(url: string, wanted: Record<string, number>): Promise<void> {
  const have: Record<string, number> = {}
  await copyOut(url, { schemas: SCHEMAS, skipped: [] }, async ({ schema, table }, lines) => {
    const column = VERSIONS[`${schema}.${table}`]
    if (column === undefined) return
    for await (const line of lines) have[schema] = Math.max(have[schema] ?? 0, Number(JSON.parse(line)[column]))
  })
  for (const [schema, version] of Object.entries(wanted)) {
    const known = have[schema] ?? 0
    if (version === known) continue
    const message = `The backup’s ${schema} has version ${version}, this Troupe’s ${known}`
    if (version > known) throw new TroupeError('journal_newer', `${message}.`)
    throw new TroupeError('wrong_state', `${message}: restore it with the Troupe that made it, then start this one.`)
  }
}

/** Lines end with a line feed and nothing else: a value may hold any other separator. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of createReadStream(file).pipe(createGunzip()).setEncoding('utf8')) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop()!
    yield* lines
  }
}
