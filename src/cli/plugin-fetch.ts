// A plug-in from a registry or a tarball: npm fetches it into a project of its own in the data folder, so that it can
// replace nothing of another one. Nothing of it runs meanwhile: no install scripts, no bin files; and its archive is
// looked at before it is unpacked. What is refused later leaves nothing behind.
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { TroupeError } from '../contract/errors.ts'
import { ARCHIVE_LIMITS, examineArchive } from './plugin-archive.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const NPM_MS = 300_000
/** Its dependencies included. */
const MAX_FILES = 100_000
const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error']

export interface FetchedPackage {
  folder: string
  /** Of a package that turns out not to be taken. */
  discard(): void
}

export async function fetchPackage(dataFolder: string, source: string): Promise<FetchedPackage> {
  const isThere = existsSync(resolve(source))
  if (!isThere && isPath(source)) {
    const takes = 'A plug-in is a folder, a .tgz, or a name that npm knows.'
    throw new TroupeError('invalid_command', `There is nothing at ${resolve(source)}. ${takes}`)
  }
  const folder = join(dataFolder, 'plugins')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const project = mkdtempSync(join(folder, 'fetched-'))
  const discard = () => rmSync(project, { recursive: true, force: true })
  try {
    writeFileSync(join(project, 'package.json'), '{ "private": true }\n')
    const archive = join(project, 'package.tgz')
    if (isThere) copyFileSync(resolve(source), archive)
    else {
      npm(project, source, ['pack', '--pack-destination', project, '--', source])
      renameSync(join(project, readdirSync(project).find((name) => name.endsWith('.tgz'))!), archive)
    }
    await examineArchive(archive)
    npm(project, source, ['install', '--legacy-peer-deps', '--no-bin-links', '--', archive])
    const [name] = Object.keys(dependenciesOf(project))
    refuseHuge(join(project, 'node_modules'))
    linkRuntime(project, ['zod', 'xstate'])
    // Node runs no TypeScript below `node_modules`. Beside it, the package still finds there what it depends on.
    const own = join(project, 'package')
    renameSync(join(project, 'node_modules', name!), own)
    return { folder: own, discard }
  } catch (error) {
    discard()
    throw error
  }
}

/** `./mine`, `/opt/mine`, `~/mine`, `mine.tgz`: no package of a registry is called so. */
function isPath(source: string): boolean {
  return /^(\.{0,2}\/|~|\.+$|[a-z]:\\)/i.test(source) || (/\.(tgz|tar\.gz)$/.test(source) && !source.includes('://'))
}

function npm(cwd: string, source: string, [verb, ...args]: string[]): void {
  const done = spawnSync('npm', [verb!, ...QUIET, ...args], {
    cwd,
    encoding: 'utf8',
    timeout: NPM_MS,
    maxBuffer: 2 ** 26,
  })
  if (done.status === 0) return
  const said =
    `${done.stderr ?? ''}`
      .trim()
      .split('\n')
      .find((line) => line.includes('npm error')) ?? done.error?.message
  throw new TroupeError('plugin_invalid', `npm could not ${verb} ${source}: ${said ?? 'it does not say why'}`)
}

function dependenciesOf(project: string): Record<string, string> {
  const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
  return (manifest as { dependencies: Record<string, string> }).dependencies
}

function refuseHuge(folder: string): void {
  let files = 0
  let bytes = 0
  const folders = [folder]
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      files += 1
      if (entry.isDirectory()) folders.push(join(at, entry.name))
      else bytes += lstatSync(join(at, entry.name)).size
      if (files <= MAX_FILES && bytes <= 2 * ARCHIVE_LIMITS.bytes) continue
      throw new TroupeError('plugin_invalid', `With what it depends on it has ${files} files of ${bytes} bytes so far.`)
    }
  }
}

/** The SDK, and what agents share with it, are those of this Troupe: another copy would be another Troupe. */
export function linkRuntime(folder: string, more: string[] = []): void {
  for (const [name, target] of [
    ['@troupe/sdk', join(ROOT, 'src', 'sdk')],
    ...more.map((dependency) => [dependency, join(ROOT, 'node_modules', dependency)]),
  ] as [string, string][]) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    if (!existsSync(link)) symlinkSync(target, link, 'junction')
  }
}
