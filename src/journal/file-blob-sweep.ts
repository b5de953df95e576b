// Deletes the files of values that no task names any more. One of the 256 folders at each call: the work of one call
// stays small however many files there are.
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

export function fileBlobSweep(
  folder: string,
): (before: number, isNamed: (sha256: string) => boolean) => Promise<number> {
  let next = 0

  return async (before, isNamed) => {
    const folders = (await readdir(folder)).filter((name) => /^[0-9a-f]{2}$/.test(name)).sort()
    if (folders.length === 0) return 0
    const chosen = join(folder, folders[next++ % folders.length]!)
    let deleted = 0
    for (const sha256 of await readdir(chosen)) {
      const file = join(chosen, sha256)
      // The age first: once a file is old, only a new write can bring it back, and that makes it young.
      if ((await stat(file)).mtimeMs >= before || isNamed(sha256)) continue
      await rm(file, { force: true })
      deleted++
    }
    return deleted
  }
}
