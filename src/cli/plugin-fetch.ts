// A plug-in from a registry or a tarball: npm fetches it into the data folder. Its install scripts do not run, because
// they would run with all our rights before anyone has looked at it.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { TroupeError } from '../contract/errors.ts'

const ROOT = join(import.meta.dirname, '..', '..')

export async function fetchPackage(dataFolder: string, source: string): Promise<string> {
  const folder = join(dataFolder, 'plugins')
  mkdirSync(folder, { recursive: true })
  const manifest = join(folder, 'package.json')
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n')
  const before = dependenciesOf(manifest)
  const args = [
    'install',
    '--ignore-scripts',
    '--legacy-peer-deps',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--',
    source,
  ]
  const done = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' })
  if (done.status !== 0) {
    const why = `${done.stderr}`.trim().split('\n')[0] ?? ''
    throw new TroupeError('plugin_invalid', `npm could not install ${source}: ${why}`)
  }
  linkRuntime(folder)
  const after = dependenciesOf(manifest)
  const added = Object.keys(after).find((name) => before[name] !== after[name]) ?? packageNameOf(source)
  return join(folder, 'node_modules', added)
}

/** The SDK is the one of this Troupe: another copy would be another Troupe. */
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

function dependenciesOf(manifest: string): Record<string, string> {
  const { dependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as { dependencies?: Record<string, string> }
  return dependencies
}

/** `name@1.2.3`, `@scope/name@latest` */
function packageNameOf(source: string): string {
  return source.replace(/(?<=.)@[^@/]*$/, '')
}
