// Documentation that points nowhere is wrong documentation.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..', '..')
const pages = globSync(['*.md', 'docs/**/*.md', 'agents/*/README.md', 'examples/*/README.md'], { cwd: root })

const read = (page: string) => readFileSync(join(root, page), 'utf8')

/** As the sites that show them name them. */
function headingsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, words]) =>
    words!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

test('every link within the repository leads to a file', () => {
  const broken = pages.flatMap((page) => {
    const links = read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)
    return [...links]
      .map((match) => match[1]!)
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page} → ${target}`)
  })
  assert.ok(pages.length > 10)
  assert.deepEqual(broken, [])
})

test('every link to a heading leads to one', () => {
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#\s:]*)#([^)\s]+)\)/g)]
      .filter(([, file = '', heading]) => {
        const target = file === '' ? page : join(dirname(page), file)
        return target.endsWith('.md') && !headingsOf(target).includes(heading!)
      })
      .map(([link]) => `${page} → ${link}`),
  )
  assert.deepEqual(broken, [])
})

test('every npm script that a page names exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const missing = pages.flatMap((page) =>
    [...read(page).matchAll(/npm run ([a-z:-]+)/g)]
      .map((match) => match[1]!)
      .filter((name) => scripts[name] === undefined)
      .map((name) => `${page}: npm run ${name}`),
  )
  assert.deepEqual(missing, [])
})

test('semantics.md states every promise the code cites', () => {
  const stated = readFileSync(join(root, 'docs/semantics.md'), 'utf8')
  for (let number = 1; number <= 9; number++) assert.match(stated, new RegExp(`\\| P${number} \\|`))
})

test('the code in the agent author’s guide is the code of the examples', () => {
  const guide = readFileSync(join(root, 'docs/guides/writing-an-agent.md'), 'utf8')
  const cuts = [...guide.matchAll(/<!-- (\S+) -->\n```ts\n([\s\S]*?)\n```/g)]
  assert.ok(cuts.length >= 3)
  for (const [, file, code] of cuts) {
    assert.ok(readFileSync(join(root, file!), 'utf8').includes(code!), `the guide differs from ${file}`)
  }
})
