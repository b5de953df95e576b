// Makes agent packages as an outsider would, in a folder for temporary files.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../boot/installation.ts'

/** `code` exports the agents by default; it may use `agent(name, run)`. */
export function writePlugin(
  folder: string,
  name: string,
  code: string,
  manifest: Record<string, unknown> = {},
): string {
  const path = join(folder, name)
  mkdirSync(join(path, 'node_modules', '@troupe'), { recursive: true })
  symlinkSync(join(ROOT, 'src', 'sdk'), join(path, 'node_modules', '@troupe', 'sdk'))
  symlinkSync(join(ROOT, 'node_modules', 'zod'), join(path, 'node_modules', 'zod'))
  const { troupe = {}, ...more } = manifest as { troupe?: object }
  const whole = {
    name,
    version: '1.0.0',
    type: 'module',
    keywords: ['troupe-agent'],
    ...more,
    troupe: { agents: ['./index.ts'], ...troupe },
  }
  writeFileSync(join(path, 'package.json'), JSON.stringify(whole))
  writeFileSync(join(path, 'index.ts'), HEAD + code)
  return path
}

const HEAD = `
import { defineAgent, defineTool } from '@troupe/sdk'
import { z } from 'zod'

const agent = (name: string, run: (ctx: any) => unknown) =>
  defineAgent({
    name,
    version: '1.0.0',
    description: 'A test',
    input: z.any(),
    output: z.any(),
    steps: { retries: 0 },
    restarts: { max: 0, within: '1m' },
    run: async (ctx) => await run(ctx),
  })
`
