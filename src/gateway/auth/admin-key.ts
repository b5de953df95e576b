// There is no open mode: the first start makes an admin key and keeps it in the data folder, readable by its owner
// only. The command line on the same machine reads it from there.
import { chmod, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TroupeError } from '../../contract/errors.ts'
import type { GatewayStore } from '../store/store.ts'
import { hashOf, isSecret, newSecret, rowOf } from './api-keys.ts'

export const ADMIN_KEY_FILE = 'admin.key'

/** The admin key of this data folder; made when there is none, or when the one in the file was revoked. */
export async function ensureAdminKey(folder: string, store: GatewayStore, tenant = 'default'): Promise<string> {
  const path = join(folder, ADMIN_KEY_FILE)
  const kept = await readKept(path)
  if (kept !== undefined) {
    const row = await store.keyByHash(hashOf(kept))
    if (row !== undefined && row.revokedAt === undefined) return kept
    // A file without its row: gateway.db was replaced. The file's owner is the admin of this folder, so the key goes on.
    if (row === undefined) return await register(store, kept, tenant)
  }
  const secret = newSecret()
  const fresh = `${path}.new`
  await writeFile(fresh, `${secret}\n`, { mode: 0o600 })
  await register(store, secret, tenant)
  await rename(fresh, path)
  return secret
}

async function register(store: GatewayStore, secret: string, tenant: string): Promise<string> {
  const wanted = { tenant, name: 'admin.key', role: 'admin' as const, createdBy: 'first-start' }
  await store.addKey(rowOf(wanted, secret, Date.now()))
  return secret
}

async function readKept(path: string): Promise<string | undefined> {
  try {
    const text = (await readFile(path, 'utf8')).trim()
    if (!isSecret(text)) {
      throw new TroupeError(
        'configuration_invalid',
        `${path} does not hold an API key. Delete it to have a new one made.`,
      )
    }
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600)
    return text
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
