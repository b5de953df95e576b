// troupe plugin: what an author and an operator type, without an installation that runs.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { newId } from '../../src/contract/ids.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { ROOT, runTroupe, temporaryFolder } from '../boot/installation.ts'
import { missing, startPostgres } from '../support/servers.ts'

const run = promisify(execFile)
const TSC = join(ROOT, 'node_modules', 'typescript-native', 'bin', 'tsc')

describe('troupe plugin new', () => {
  for (const kind of ['handler', 'machine'] as const) {
    test(`makes a ${kind} whose own tests pass, whose types fit, and that is taken`, async () => {
      const folder = join(temporaryFolder(), 'word-counter')
      const made = await runTroupe(['plugin', 'new', folder, ...(kind === 'machine' ? ['--machine'] : [])])
      assert.equal(made.code, 0, made.err)
      // As npm would: what runs here is what the package’s `test` says, on the Node that its links name.
      const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      assert.equal(scripts.test, 'node --test')
      const node = join(folder, 'node_modules', '.bin', 'node')
      const { NODE_TEST_CONTEXT: _, ...env } = process.env
      const { stdout } = await run(node, ['--test', '--test-reporter=tap'], { cwd: folder, env })
      assert.match(stdout, /# pass 2\n# fail 0/)
      await run(node, [TSC, '-p', folder])
      const checked = await runTroupe(['--json', 'plugin', 'check', folder])
      assert.equal(checked.code, 0, checked.err)
      assert.deepEqual(JSON.parse(checked.out).agents, ['word-counter@1.0.0'])
    })
  }

  test('refuses a folder that is not empty, and a name that cannot be an agent’s', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'precious'), '')
    assert.equal((await runTroupe(['plugin', 'new', folder])).code, 2)
    const { code, err } = await runTroupe(['plugin', 'new', join(folder, 'Word_Counter')])
    assert.equal(code, 2)
    assert.match(err, /lower-case/)
  })
})

test('troupe plugin add, list and remove: kept in the data folder, one version of a package at a time', async () => {
  const data = join(temporaryFolder(), 'data')
  const folder = join(temporaryFolder(), 'word-counter')
  await runTroupe(['plugin', 'new', folder])
  const plugin = async (...args: string[]) => await runTroupe(['--json', '--data', data, 'plugin', ...args])
  assert.equal((await plugin('add', folder)).code, 0)
  assert.equal((await plugin('add', folder, '--trust')).code, 0)
  const listed = JSON.parse((await plugin('list')).out)
  assert.deepEqual(
    listed.map(({ name, trusted }: { name: string; trusted: boolean }) => [name, trusted]),
    [['word-counter', true]],
  )
  assert.equal((await plugin('remove', 'word-counter')).code, 0)
  assert.deepEqual(JSON.parse((await plugin('list')).out), [])
  const again = await plugin('remove', 'word-counter')
  assert.equal(again.code, 5)
})

async function writeOpenTasks(journal: Journal): Promise<{ gone: string; old: string }> {
  const open = async (agentVersion: string, state: string) => {
    const id = newId('task')
    const task = {
      id,
      tenant: 't',
      agent: 'word-counter',
      agentVersion,
      input: {},
      priority: 'normal',
      depth: 0,
    } as const
    await journal.accept(task)
    const hostId = newId('host')
    await journal.keepLease({ hostId, info: {}, leaseMs: 3_000 })
    const machine = { value: state, context: { text: '', words: 0 } }
    const snapshot = { machine, steps: {}, timers: {}, invocations: {}, crashes: [] }
    const base = { taskId: id, epoch: 0, version: 0, lastEvent: 1, release: true, state: 'waiting' } as const
    await journal.commit({ ...base, events: [], claim: { hostId }, snapshot })
    return id
  }
  await open('1.0.0', 'counting')
  const gone = await open('1.0.0', 'a-state-that-was-renamed')
  const old = await open('0.9.0', 'counting')
  await journal.close()
  return { gone, old }
}

async function checkAgainst(against: string, { gone, old }: { gone: string; old: string }): Promise<void> {
  const folder = join(temporaryFolder(), 'word-counter')
  await runTroupe(['plugin', 'new', folder, '--machine'])
  const { code, out, err } = await runTroupe(['--json', 'plugin', 'check', folder, '--against', against])
  assert.equal(code, 4, err)
  const { tasks } = JSON.parse(out)
  assert.equal(tasks.looked, 3)
  const why = new Map(tasks.breaking.map((task: { task: string; why: string }) => [task.task, task.why]))
  assert.deepEqual([...why.keys()].sort(), [gone, old].sort())
  assert.match(String(why.get(old)), /0\.9\.0/)
  assert.match(String(why.get(gone)), /a-state-that-was-renamed/)
  const plain = await runTroupe(['plugin', 'check', folder, '--against', against])
  assert.match(plain.out, /3 open tasks looked at, 2 would break/)
  assert.ok(plain.out.includes(gone) && plain.out.includes(old))
}

describe('troupe plugin check --against names the open tasks that would break, and why', () => {
  test('of a data folder', async () => {
    const data = temporaryFolder()
    await checkAgainst(data, await writeOpenTasks(await openSqliteJournal({ folder: data })))
  })

  test('of a Postgres', { skip: missing('postgres') }, async () => {
    const { url, stop } = await startPostgres()
    try {
      await checkAgainst(url, await writeOpenTasks(await openPostgresJournal({ url })))
    } finally {
      await stop()
    }
  })

  test('what holds no journal is refused, and nothing is made there', { skip: missing('postgres') }, async () => {
    const folder = join(temporaryFolder(), 'word-counter')
    await runTroupe(['plugin', 'new', folder])
    const nowhere = join(temporaryFolder(), 'mistyped')
    const refused = await runTroupe(['plugin', 'check', folder, '--against', nowhere])
    assert.equal(refused.code, 5, refused.err)
    assert.match(refused.err, /mistyped holds no journal/)
    assert.ok(!existsSync(nowhere))
    const { url, stop } = await startPostgres()
    try {
      for (let time = 0; time < 2; time++) {
        const { code, err } = await runTroupe(['plugin', 'check', folder, '--against', url])
        assert.equal(code, 5, err)
        assert.match(err, /holds no journal/)
      }
    } finally {
      await stop()
    }
  })
})
