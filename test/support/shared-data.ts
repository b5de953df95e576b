// Public data for measuring lives beside the checkout (or where TROUPE_SHARED_DATA says) and never inside it.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

const folder = process.env['TROUPE_SHARED_DATA'] ?? resolve(import.meta.dirname, '..', '..', '..', 'shared', 'data')

/** The path of a data file or folder, or undefined where the data is absent: then the test skips and says so. */
export function sharedData(relative: string): string | undefined {
  const path = join(folder, relative)
  return existsSync(path) ? path : undefined
}
