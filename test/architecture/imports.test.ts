// Who may import whom (DESIGN: imports flow one way), and where each vendor lives. A rule says why it is there.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'
import { exceptions, rooms, vendors } from './rules.ts'

const root = join(import.meta.dirname, '..', '..')
const files = globSync(['src/**/*.ts', 'tools/**/*.ts', 'agents/*/*.ts', 'supervisors/*.ts', 'web/*.{js,ts}'], {
  cwd: root,
}).filter((file) => !file.includes('node_modules'))

interface Import {
  file: string
  target: string
}

const imports: Import[] = files.flatMap((file) => {
  const source = readFileSync(join(root, file), 'utf8')
  const found = source.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'"\n;]*?(?:from\s*)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|\}\s*from\s*['"]([^'"]+)['"]/g,
  )
  return [...found].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? ''
    const target = specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier
    return { file, target }
  })
})

/** `src/journal/sqlite/mail.ts` is in the room `journal`; `agents/…`, `tools/…`, `supervisors/…` and `web/…` are rooms too. */
function roomOf(path: string): string | undefined {
  const [first, second] = path.split('/')
  if (first === 'src') return second
  return ['agents', 'tools', 'supervisors', 'web'].includes(first ?? '') ? first : undefined
}

function excepted(rule: string, { file, target }: Import): boolean {
  return exceptions.some((known) => known.rule === rule && file.startsWith(known.from) && target.startsWith(known.to))
}

test('the scan sees imports, exports from, and dynamic imports over several lines', () => {
  const sees = (file: string, target: string) => imports.some((found) => found.file === file && found.target === target)
  assert.ok(sees('src/host/host.ts', 'src/actor/actor.ts'))
  assert.ok(sees('src/contract/index.ts', 'src/contract/errors.ts'))
  assert.ok(imports.length > 500, `it saw ${imports.length}`)
})

test('a room imports only the rooms below it', () => {
  const wrong: string[] = []
  for (const found of imports) {
    const from = roomOf(found.file)
    const to = found.target.startsWith('@troupe/sdk')
      ? 'sdk'
      : found.target.startsWith('@troupe/tools')
        ? 'tools'
        : roomOf(found.target)
    if (from === undefined || to === undefined || from === to) continue
    const rule = rooms[from]
    assert.ok(rule, `the room ${from} has no rule in test/architecture/rules.ts`)
    if (rule.may.includes(to) || excepted('rooms', found)) continue
    wrong.push(
      `${found.file} imports ${found.target}: ${from} may import ${rule.may.join(', ') || 'nothing of ours'} — ${rule.why}`,
    )
  }
  assert.deepEqual(wrong, [])
})

test('a vendor lives in its room', () => {
  const wrong: string[] = []
  for (const found of imports) {
    for (const { vendor, homes, why } of vendors) {
      if (!vendor.test(found.target) || homes.some((home) => found.file.startsWith(home))) continue
      if (!excepted('vendors', found)) wrong.push(`${found.file} imports ${found.target}: ${why}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('an exception that nothing needs any more is taken out, so that their number only shrinks', () => {
  const unused = exceptions.filter(
    ({ from, to }) => !imports.some(({ file, target }) => file.startsWith(from) && target.startsWith(to)),
  )
  assert.deepEqual(unused, [])
})

test('no folder is a bin for whatever fits nowhere', () => {
  const bins = files.filter((file) => /(^|\/)(utils?|common|helpers?|types|misc)(\/|\.ts$)/.test(file))
  assert.deepEqual(bins, [])
})

test('no file is longer than 300 lines, but for lists of templates', () => {
  const code = files.filter((file) => !file.startsWith('src/training/corpus/'))
  const long = code.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 301)
  assert.deepEqual(long, [])
})

test('only the boot files and the command read the environment', () => {
  const readers = files.filter(
    (file) =>
      !file.startsWith('src/boot/') &&
      !file.startsWith('src/cli/') &&
      /process\.env\b/.test(readFileSync(join(root, file), 'utf8')),
  )
  assert.deepEqual(readers, [])
})
