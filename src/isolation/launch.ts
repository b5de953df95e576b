// How Node is told what the process of a plug-in may do: read its own package and the runtime, write nothing, start
// nothing, connect to nobody, unless its manifest declares it.
import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Permissions } from '../plugins/index.ts'
import { refuseLinksOut } from './links.ts'

export interface Launch {
  command: string
  args: string[]
  /** The kernel keeps the network away. False: only network.ts does. */
  sealed: boolean
}

const ROOT = join(import.meta.dirname, '..', '..')
/** Loaded before the plug-in's code. */
const PRELOADED = ['network.ts', 'others.ts'].map((name) => fileURLToPath(new URL(`./${name}`, import.meta.url)))
/** Its data folder and its environment may lie in the same folder as the code: not all of it may be read. */
const RUNTIME = ['src', 'tools', 'protos', 'node_modules', 'package.json', 'tsconfig.json'].map((name) =>
  join(ROOT, name),
)
const HEAP_MB = 512

export function launchOf(entry: string, folder: string, { files, network }: Permissions): Launch {
  const readableAnyway = [folder, ...RUNTIME, ...packagesAbove(folder)].map(real)
  refuseLinksOut(real(folder), [...readableAnyway, real(process.execPath)])
  const readable = [...RUNTIME, ...packagesAbove(folder), ...files.read.map((path) => resolve(folder, path))]
  const writable = files.write.map((path) => resolve(folder, path))
  const args = [
    '--permission',
    ...[folder, ...readable].map((path) => `--allow-fs-read=${real(path)}`),
    ...writable.map((path) => `--allow-fs-write=${real(path)}`),
    `--max-old-space-size=${HEAP_MB}`,
    '--no-addons',
    ...PRELOADED.flatMap((path) => ['--import', path]),
    entry,
    ...network,
  ]
  const seal = network.length === 0 ? networkNamespace() : undefined
  if (seal === undefined) return { command: process.execPath, args, sealed: false }
  return { command: seal[0]!, args: [...seal.slice(1), process.execPath, ...args], sealed: true }
}

/** Node looks for packages in every folder above; links lead out of them. */
function packagesAbove(folder: string): string[] {
  const found: string[] = []
  for (let at = resolve(folder); at !== dirname(at); at = dirname(at)) {
    for (const name of ['node_modules', 'package.json']) if (existsSync(join(at, name))) found.push(join(at, name))
  }
  return found
}

function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

let namespace: string[] | undefined | null = null

/** A process in a network namespace of its own has no network at all. Linux only, and not in every container. */
function networkNamespace(): string[] | undefined {
  if (namespace !== null) return namespace
  const ways = [
    ['unshare', '--net', '--'],
    ['unshare', '--user', '--map-root-user', '--net', '--'],
  ]
  namespace = ways.find(([command, ...args]) => spawnSync(command!, [...args, 'true']).status === 0)
  return namespace
}
