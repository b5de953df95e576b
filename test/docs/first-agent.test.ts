// The ten minutes of the agent author's guide, typed as they stand there: the real command, a running installation, a
// temporary folder instead of the one beside the checkout.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { type Installation, ROOT, startInstallation, temporaryFolder } from '../boot/installation.ts'

const run = promisify(execFile)
const guide = readFileSync(join(ROOT, 'docs', 'guides', 'writing-an-agent.md'), 'utf8')
const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(guide) ?? []
const lines = block.split('\n').filter((line) => line.trim() !== '')
const reason = spawnSync('npx', ['--version']).status === 0 ? false : 'npx is not on this machine'

const place = temporaryFolder()
const data = temporaryFolder()
let troupe: Installation

before(async () => {
  troupe = await startInstallation({ data })
})
after(async () => {
  assert.equal(await troupe?.stop(), 0)
})

async function type(line: string): Promise<{ out: string; err: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const here = line.replaceAll('../', `${place}/`)
  const options = { cwd: ROOT, env: { ...env, TROUPE_DATA: data, NO_COLOR: '1' }, timeout: 180_000 }
  const { stdout, stderr } = await run('sh', ['-c', here], options).catch((error) => {
    throw new Error(`${line}\n${error.stdout}\n${error.stderr}`)
  })
  return { out: stdout, err: stderr }
}

/** What a newcomer must see, by the beginning of the line. */
const SHOWS: [line: RegExp, shown: RegExp][] = [
  [/plugin new/, /word-counter\/index\.ts/],
  [/npm test/, /pass 2\b[\s\S]*fail 0\b/],
  [/plugin check/, /word-counter@1\.0\.0 can be added/],
  [/plugin add/, /word-counter@1\.0\.0 added[\s\S]*with no permissions/],
  [/restart troupe\/core\s/, /troupe\/core runs again/],
  [/--wait/, /"words": 6/],
  [/--follow/, /task completed[\s\S]*"words": 4|"words": 4[\s\S]*task completed/],
  [/troupe tree/, /└─ word-counter +running/],
  [/restart troupe\/core\/word-counter/, /troupe\/core\/word-counter runs again/],
  [/plugin remove/, /word-counter@1\.0\.0 removed/],
]

test('every line of the guide does what the guide says', { skip: reason }, async () => {
  assert.equal(lines.length, SHOWS.length, block)
  for (const [index, line] of lines.entries()) {
    const [which, shown] = SHOWS[index]!
    assert.match(line, which)
    const { out, err } = await type(line)
    assert.match(`${out}\n${err}`, shown, line)
  }
  const gone = await troupe.troupe(['--json', 'plugin', 'list'])
  assert.deepEqual(JSON.parse(gone.out), [])
})

test('within the new folder `npx troupe` is the Troupe that made it', { skip: reason }, async () => {
  await type('npx troupe plugin new ../another-one')
  const { out } = await type('cd ../another-one && npx --no troupe plugin check .')
  assert.match(out, /another-one@1\.0\.0 can be added/)
})
