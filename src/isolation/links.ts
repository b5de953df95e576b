// Node's permission model judges the path that is asked for and then follows its links. So a link within the package that
// leads elsewhere would open what it leads to; a package that has one is refused before it runs.
import { readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { TroupeError } from '../contract/errors.ts'

const MAX_ENTRIES = 100_000

/** `readable`: what the package may read anyway, links resolved. */
export function refuseLinksOut(folder: string, readable: readonly string[]): void {
  const folders = [folder]
  let looked = 0
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      looked += 1
      if (looked > MAX_ENTRIES) {
        throw new TroupeError('plugin_invalid', `${folder} has more than ${MAX_ENTRIES} files; it cannot be isolated.`)
      }
      const path = join(at, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isSymbolicLink()) {
        const target = targetOf(path)
        if (readable.some((root) => target === root || target.startsWith(root + sep))) continue
        throw new TroupeError('plugin_invalid', `${path} is a link to ${target}, outside what the package may read.`)
      }
    }
  }
}

function targetOf(link: string): string {
  try {
    return realpathSync(link)
  } catch {
    // It leads nowhere yet.
    return resolve(dirname(link), readlinkSync(link))
  }
}
