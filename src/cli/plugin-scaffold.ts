// `troupe plugin new`: a package with an agent, its test and a README, whose tests pass as it is.
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
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
    'index.ts': kind === 'handler' ? handlerOf(agent) : machineOf(agent),
    'test/index.test.ts': testOf(agent),
    'tsconfig.json': `${JSON.stringify(TSCONFIG, null, 2)}\n`,
    '.gitignore': 'node_modules/\n',
    'README.md': readmeOf(agent),
  }
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  linkRuntime(folder, kind === 'machine' ? ['zod', 'xstate'] : ['zod'])
  linkNode(folder)
  return { folder, agent, files: Object.keys(files).map((name) => join(folder, name)) }
}

/** npm scripts find it first: the sources run as they are, which the machine's own Node may be too old for. */
function linkNode(folder: string): void {
  const bin = join(folder, 'node_modules', '.bin')
  mkdirSync(bin, { recursive: true })
  symlinkSync(process.execPath, join(bin, 'node'))
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

function handlerOf(agent: string): string {
  return `import { defineAgent } from '@troupe/sdk'
import { z } from 'zod'

export default defineAgent({
  name: '${agent}',
  version: '1.0.0',
  description: 'Counts the words of a text',
  input: z.object({ text: z.string().min(1) }),
  output: z.object({ words: z.number().int() }),
  // What a step returns is recorded: after a crash it is not done again.
  run: async (ctx) => ({ words: await ctx.step('count', () => ctx.input.text.trim().split(/\\s+/).length) }),
})
`
}

function machineOf(agent: string): string {
  return `import { defineAgent, step } from '@troupe/sdk'
import { assign, setup } from 'xstate'
import { z } from 'zod'

const input = z.object({ text: z.string().min(1) })

const machine = setup({
  types: {
    input: {} as z.infer<typeof input>,
    context: {} as { text: string; words: number },
    output: {} as { words: number },
  },
  actors: {
    // What a step returns is recorded: after a crash it is not done again.
    count: step<string, number>(async ({ input: text }) => text.trim().split(/\\s+/).length),
  },
}).createMachine({
  context: ({ input }) => ({ text: input.text, words: 0 }),
  initial: 'counting',
  states: {
    counting: {
      invoke: {
        id: 'count',
        src: 'count',
        input: ({ context }) => context.text,
        onDone: { target: 'done', actions: assign({ words: ({ event }) => event.output }) },
      },
    },
    done: { type: 'final' },
  },
  output: ({ context }) => ({ words: context.words }),
})

export default defineAgent({
  name: '${agent}',
  version: '1.0.0',
  description: 'Counts the words of a text',
  input,
  output: z.object({ words: z.number().int() }),
  machine,
})
`
}

function testOf(agent: string): string {
  return `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crashEverywhere, runAgent } from '@troupe/sdk/testing'
import agent from '../index.ts'

test('${agent} counts words', async () => {
  const { task } = await runAgent(agent, { text: 'to be or not to be' })
  assert.deepEqual(task.output, { words: 6 })
})

test('a crash at any commit changes nothing in the outcome', async () => {
  const report = await crashEverywhere(agent, { text: 'to be' })
  assert.deepEqual([report.differences, report.gaps], [[], []])
})
`
}

function readmeOf(agent: string): string {
  return `# ${agent}

An agent for Troupe.

\`\`\`
npm test                          # its tests, without any server
troupe plugin check .             # would Troupe take it?
troupe plugin add .               # in a process of its own, with the permissions of package.json
troupe submit ${agent} '{"text": "to be or not to be"}' --wait
\`\`\`

\`node_modules\` links the SDK of the Troupe that made this folder; make the links again with \`troupe plugin new\` elsewhere,
or install \`@troupe/sdk\` from where your team keeps it.
`
}
