// `troupe plugin new`: a package with an agent, its test and a README, whose tests pass as it is.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { TroupeError } from '../contract/errors.ts'
import { SDK_VERSION } from '../plugins/index.ts'
import { linkRuntime } from './plugin-fetch.ts'

export interface Scaffold {
  folder: string
  agent: string
  files: string[]
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/

export async function writeScaffold(folder: string, kind: 'handler' | 'machine'): Promise<Scaffold> {
  const agent = basename(folder)
  if (!NAME.test(agent)) {
    throw new TroupeError('invalid_command', `${agent} cannot be an agent’s name: lower-case words joined by hyphens.`)
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new TroupeError('invalid_command', `${folder} is not empty; name a new folder.`)
  }
  const files: Record<string, string> = {
    'package.json': `${JSON.stringify(manifestOf(agent, kind), null, 2)}\n`,
    'index.ts': filled(`${kind}.ts.txt`, agent),
    'test/index.test.ts': filled('test.ts.txt', agent),
    'tsconfig.json': `${JSON.stringify(TSCONFIG, null, 2)}\n`,
    '.gitignore': 'node_modules/\n',
    'README.md': filled('README.md.txt', agent),
  }
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  linkRuntime(folder, kind === 'machine' ? ['zod', 'xstate'] : ['zod'])
  linkPrograms(folder)
  return { folder, agent, files: Object.keys(files).map((name) => join(folder, name)) }
}

/**
 * npm scripts and npx find these first: the sources run as they are, which the machine's own Node may be too old for, and
 * `npx troupe` is the Troupe that made the folder, not whatever a registry has under that name.
 */
function linkPrograms(folder: string): void {
  const bin = join(folder, 'node_modules', '.bin')
  mkdirSync(bin, { recursive: true })
  symlinkSync(process.execPath, join(bin, 'node'))
  symlinkSync(join(import.meta.dirname, 'troupe.ts'), join(bin, 'troupe'))
}

function manifestOf(agent: string, kind: 'handler' | 'machine') {
  return {
    name: agent,
    version: '1.0.0',
    description: `The ${agent} agent`,
    private: true,
    type: 'module',
    keywords: ['troupe-agent'],
    exports: './index.ts',
    engines: { node: '>=22.18', troupe: `^${SDK_VERSION}` },
    scripts: { test: 'node --test' },
    troupe: {
      agents: ['./index.ts'],
      permissions: { network: [], files: { read: [], write: [] }, tools: [], agents: [], services: [] },
    },
    peerDependencies: {
      '@troupe/sdk': `^${SDK_VERSION}`,
      ...(kind === 'machine' ? { xstate: '^5.0.0' } : {}),
      zod: '^4.0.0',
    },
  }
}

const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
  },
  include: ['**/*.ts'],
}

function filled(template: string, agent: string): string {
  return readFileSync(join(import.meta.dirname, 'scaffold', template), 'utf8').replaceAll('{{agent}}', agent)
}
