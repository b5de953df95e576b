// Where the installation of a data folder serves: written when it is up, so that the command line finds it although
// its port was chosen freely.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Whereabouts {
  url: string
  /** The root supervisor. */
  pid: number
  /** Addresses of the workers. */
  inference: string
  retrieval: string
}

const FILE = 'up.json'

export async function writeWhereabouts(folder: string, whereabouts: Whereabouts): Promise<void> {
  const fresh = join(folder, `${FILE}.new`)
  await writeFile(fresh, `${JSON.stringify(whereabouts)}\n`)
  await rename(fresh, join(folder, FILE))
}

/** Of the last start: whether it still serves is to be tried. */
export async function readWhereabouts(folder: string): Promise<Whereabouts | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, FILE), 'utf8')) as Whereabouts
  } catch {
    return undefined
  }
}
