// troupe backup, troupe restore
import { resolve } from 'node:path'
import { backUp, restore } from '../boot/backup.ts'
import { dataFolderOf } from './connection.ts'
import type { Handler } from './context.ts'
import { bytes } from './table.ts'

export const backupCommand: Handler = async (context, [folder]) => {
  const from = dataFolderOf(context.globals)
  const report = await backUp(from, resolve(folder!))
  context.show(
    { folder: resolve(folder!), ...report },
    ({ files }) => `${files} files, ${bytes(report.bytes)}, of ${from}`,
  )
}

export const restoreCommand: Handler = async (context, [folder]) => {
  const to = dataFolderOf(context.globals)
  const report = await restore(resolve(folder!), to)
  context.show({ folder: to, ...report }, ({ files }) => `${files} files, ${bytes(report.bytes)}, into ${to}`)
  context.terminal.note(`Start it: troupe up --data ${to}`)
}
