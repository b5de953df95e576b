// crashEverywhere for an isolated plug-in, with real deaths: at each commit of its task, before and after it, the plug-in's
// process is killed (SIGKILL), and so is the host that guards it. Same outcome, each effect once, no gap in the log.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runTroupe, temporaryFolder } from '../boot/installation.ts'
import { writePlugin } from './plugins.ts'

const KEEPER = `
import { appendFileSync, writeFileSync } from 'node:fs'

// A receiver that knows idempotency keys: the second request under a key changes nothing.
function effect(folder: string, key: string) {
  appendFileSync(folder + '/requests', JSON.stringify({ key, process: process.pid }) + '\\n')
  try { writeFileSync(folder + '/' + key.replace('/', '-'), '', { flag: 'wx' }) } catch {}
}

export default [
  agent('keeper', async (ctx) => {
    const doubled = await ctx.ask('double', 'doubler', { number: ctx.input.number })
    await ctx.step('first', (step: any) => effect(FOLDER, step.idempotencyKey))
    await ctx.sleep('rest', 20)
    const { by } = await ctx.wait('approval', 'approve')
    await ctx.step('second', (step: any) => effect(FOLDER, step.idempotencyKey))
    return { doubled, by }
  }),
  agent('doubler', (ctx) => ctx.input.number * 2),
]
`

interface Life {
  task: { id: string; state: string; output: unknown; error?: unknown }
  commits: number
  deaths: number
  numbers: number[]
}

interface Point {
  key: string
  dieAt: number
  when: 'before' | 'after'
}

const SCRIPT = join(import.meta.dirname, 'isolated-life.ts')
const place = temporaryFolder()
const effects = join(place, 'effects')
const data = join(place, 'data')
mkdirSync(effects)

const files = { read: [], write: [effects] }
const code = KEEPER.replaceAll('FOLDER', JSON.stringify(effects))
const added = await runTroupe([
  '--data',
  data,
  'plugin',
  'add',
  writePlugin(place, 'keeper', code, { troupe: { permissions: { files } } }),
])

function live(who: 'plugin' | 'host', points: Point[]): { killed: boolean; lives: Life[] } {
  const args = [SCRIPT, data, who, JSON.stringify(points)]
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { timeout: 300_000, encoding: 'utf8' })
  assert.notEqual(signal, 'SIGTERM', `too slow: ${stdout} ${stderr}`)
  const lives = stdout.split('\n').filter((line) => line !== '')
  assert.ok(signal === 'SIGKILL' || lives.length === points.length, stderr)
  return { killed: signal === 'SIGKILL', lives: lives.map((line) => JSON.parse(line) as Life) }
}

const peace = live('plugin', [{ key: 'peace', dieAt: 0, when: 'after' }]).lives[0]!

/** P3: a step may be tried again, always under its own key, and in one process only once. */
function checkLife({ task, numbers }: Life, what: string): void {
  assert.equal(task.state, 'completed', `${what}: ${JSON.stringify(task)}`)
  assert.deepEqual(task.output, { doubled: 40, by: 'ada' }, what)
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
    what,
  )
  const mine = readdirSync(effects).filter((name) => name.startsWith(task.id))
  assert.deepEqual(mine.sort(), [`${task.id}-first`, `${task.id}-second`], what)
  const requests = readFileSync(join(effects, 'requests'), 'utf8').trim().split('\n')
  assert.equal(new Set(requests).size, requests.length, `${what}: ${requests.join(' ')}`)
}

const everyCommit = Array.from({ length: peace.commits }, (_, index) => index + 1)

test('in peace it ends well and commits at least six times', () => {
  assert.equal(added.code, 0, added.err)
  assert.ok(peace.commits >= 6, `${peace.commits} commits`)
  checkLife(peace, 'in peace')
})

for (const when of ['before', 'after'] as const) {
  test(`its process killed ${when} each commit in turn: the outcome is the same, each effect once`, () => {
    const { lives } = live(
      'plugin',
      everyCommit.map((dieAt) => ({ key: `plugin ${when} ${dieAt}`, dieAt, when })),
    )
    for (const [index, life] of lives.entries()) {
      const what = `killed ${when} commit ${index + 1}`
      assert.equal(life.deaths, 1, what)
      checkLife(life, what)
    }
  })

  test(`its host killed ${when} each commit in turn: the outcome is the same, each effect once`, () => {
    // Each life ends the task under which the one before it died, and dies in turn.
    let left: Point[] = []
    for (const dieAt of everyCommit) {
      const key = `host ${when} ${dieAt}`
      const { killed, lives } = live('host', [...left, { key, dieAt, when }])
      assert.ok(killed, key)
      for (const life of lives) checkLife(life, `the life before ${key}`)
      assert.equal(lives.length, left.length, key)
      left = [{ key, dieAt: 0, when }]
    }
    for (const life of live('host', left).lives) checkLife(life, 'the last life')
  })
}
