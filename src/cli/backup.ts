// troupe backup, troupe restore: of the data folder, or of the cluster's database where one is configured
import { resolve } from 'node:path'
import { backUp, restore } from '../boot/backup.ts'
import { backUpPostgres, restorePostgres } from '../boot/backup-postgres.ts'
import { readSettings } from '../boot/settings.ts'
import { dataFolderOf } from './connection.ts'
import type { Handler } from './context.ts'
import { bytes } from './table.ts'
import { COMMAND } from './terminal.ts'

const DATABASE = 'the database of TROUPE_POSTGRES_URL'

export const backupCommand: Handler = async (context, [folder]) => {
  const to = resolve(folder!)
  const { postgresUrl } = readSettings()
  const from = postgresUrl === undefined ? dataFolderOf(context.globals) : DATABASE
  const report = postgresUrl === undefined ? await backUp(from, to) : await backUpPostgres(postgresUrl, to)
  context.show({ folder: to, ...report }, ({ files }) => `${files} files, ${bytes(report.bytes)}, of ${from}`)
}

export const restoreCommand: Handler = async (context, [folder]) => {
  const from = resolve(folder!)
  const { postgresUrl } = readSettings()
  const to = postgresUrl === undefined ? dataFolderOf(context.globals) : DATABASE
  const report = postgresUrl === undefined ? await restore(from, to) : await restorePostgres(from, postgresUrl)
  context.show({ folder: to, ...report }, ({ files }) => `${files} files, ${bytes(report.bytes)}, into ${to}`)
  if (postgresUrl === undefined) context.terminal.note(`Start it: ${COMMAND} up --data ${to}`)
}
