// Where the gateway is, and with which key: what the command was told, else the environment, else what the running
// installation left in its data folder.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSettings } from '../boot/settings.ts'
import { readWhereabouts } from '../boot/whereabouts.ts'
import { TroupeError } from '../contract/errors.ts'
import { createClient, type GatewayClient } from './client.ts'
import { COMMAND } from './terminal.ts'

export interface GlobalOptions {
  url?: string
  key?: string
  data?: string
  json?: boolean
}

export function dataFolderOf(globals: GlobalOptions): string {
  return readSettings({ ...process.env, ...(globals.data === undefined ? {} : { TROUPE_DATA: globals.data }) })
    .dataFolder
}

export async function connect(globals: GlobalOptions): Promise<GatewayClient> {
  const folder = dataFolderOf(globals)
  const named = globals.url ?? process.env.TROUPE_URL
  const url = named ?? (await readWhereabouts(folder))?.url ?? defaultUrl()
  const key = globals.key ?? process.env.TROUPE_KEY ?? (await adminKey(folder, named !== undefined))
  return createClient(url.replace(/\/$/, ''), key)
}

function defaultUrl(): string {
  const { host, port } = readSettings()
  return `http://${host}:${port}`
}

async function adminKey(folder: string, elsewhere: boolean): Promise<string> {
  const path = join(folder, 'admin.key')
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') {
      throw new TroupeError('forbidden', `${path} belongs to another user; pass --key or set TROUPE_KEY.`)
    }
    if (!elsewhere) {
      throw new TroupeError('unavailable', `Nothing was started in ${folder}: \`${COMMAND} up\` starts it there.`)
    }
    throw new TroupeError(
      'unauthenticated',
      `There is no key: neither --key nor TROUPE_KEY is set, nor is there ${path}.`,
    )
  }
}
