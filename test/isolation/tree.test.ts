// The processes of isolated plug-ins as an operator sees them: below their host in `troupe tree`, restarted on order.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gone, type Installation, runTroupe, startInstallation, temporaryFolder } from '../boot/installation.ts'
import { eventually } from '../support/eventually.ts'
import { writePlugin } from './plugins.ts'

const SLOW = `
import { appendFileSync } from 'node:fs'

export default agent('slow', async (ctx) => {
  const done: number[] = []
  for (const n of [1, 2, 3]) {
    done.push(await ctx.step('step-' + n, async () => {
      appendFileSync(LOG, ctx.task.id + ' ' + n + '\\n')
      await new Promise((resolve) => setTimeout(resolve, 300))
      return n
    }))
  }
  await ctx.sleep('rest', 200)
  return done
})
`

interface Node {
  id: string
  path: string
  state: string
  restarts: number
  uptime?: number
  lastError?: string
  facts?: { pid: number }
}

describe('an isolated plug-in in the tree', () => {
  const data = temporaryFolder()
  const packages = temporaryFolder()
  const log = join(packages, 'written', 'log')
  let troupe: Installation

  async function node(): Promise<Node | undefined> {
    const core = (await troupe.child('core')) as unknown as { children?: Node[] } | undefined
    return core?.children?.find(({ id }) => id === '@acme:slow')
  }

  /** When the node is as wanted; with bounded patience. */
  async function nodeThat(is: (node: Node) => boolean): Promise<Node> {
    for (const since = Date.now(); ; ) {
      const found = await node()
      if (found !== undefined && is(found)) return found
      assert.ok(Date.now() - since < 60_000, JSON.stringify(found))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async function ended(id: string) {
    for (const since = Date.now(); ; ) {
      const task = await troupe.call('GET', `/v1/tasks/${id}`)
      if (task.endedAt !== undefined) return task
      assert.ok(Date.now() - since < 60_000, `${id} is ${task.state}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  before(async () => {
    mkdirSync(join(packages, 'written'))
    mkdirSync(join(packages, '@acme'))
    writeFileSync(log, '')
    const manifest = { troupe: { permissions: { files: { read: [], write: [join(packages, 'written')] } } } }
    const code = SLOW.replaceAll('LOG', JSON.stringify(log))
    const added = await runTroupe([
      '--data',
      data,
      'plugin',
      'add',
      writePlugin(packages, '@acme/slow', code, manifest),
    ])
    assert.equal(added.code, 0, added.err)
    troupe = await startInstallation({ data })
  })
  after(async () => {
    assert.equal(await troupe?.stop(), 0)
  })

  test('shows its state, uptime and process below its host', async () => {
    const first = await nodeThat(({ state }) => state === 'running')
    assert.equal(first.path, 'troupe/core/@acme:slow')
    assert.equal(first.restarts, 0)
    assert.ok(Number(first.facts?.pid) > 0)
    const later = await nodeThat(({ uptime }) => Number(uptime) > Number(first.uptime))
    assert.equal(later.facts?.pid, first.facts?.pid)
    const { out } = await troupe.troupe(['tree'])
    assert.match(out, /└─ core[^\n]*\n {3}└─ @acme:slow +running +up /)
  })

  test('whose process is killed runs again, and its restart is counted', async () => {
    const { facts, restarts } = await nodeThat(({ state }) => state === 'running')
    process.kill(facts!.pid, 'SIGKILL')
    const next = await nodeThat((now) => now.state === 'running' && now.facts?.pid !== facts!.pid)
    assert.equal(next.restarts, restarts + 1)
    assert.match(String(next.lastError), /SIGKILL/)
  })

  test('is restarted on order in the middle of its tasks: none fails, no step is done twice', async () => {
    const { facts } = await nodeThat(({ state }) => state === 'running')
    const tasks = await Promise.all(
      Array.from({ length: 4 }, () => troupe.call('POST', '/v1/tasks', { agent: 'slow', input: {} })),
    )
    while (!readFileSync(log, 'utf8').includes(' 2\n')) await new Promise((resolve) => setTimeout(resolve, 10))
    const ordered = await troupe.troupe(['restart', 'troupe/core/@acme:slow'])
    assert.equal(ordered.code, 0, ordered.err)
    await gone(facts!.pid)
    const next = await nodeThat((now) => now.state === 'running' && now.facts?.pid !== facts!.pid)
    assert.ok(Number(next.facts?.pid) > 0)
    for (const { id } of tasks) {
      const task = await ended(id)
      assert.equal(task.state, 'completed', JSON.stringify(task.error))
      assert.deepEqual(task.output, [1, 2, 3])
      assert.equal(task.ownerDeaths ?? 0, 0)
    }
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    assert.equal(new Set(lines).size, lines.length, lines.join(', '))
    await troupe.saying(/core\/@acme:slow was restarted on order/)
  })

  test('that is not there cannot be restarted', async () => {
    const { code, err } = await troupe.troupe(['restart', 'core/nobody'])
    assert.equal(code, 5, err)
    assert.match(err, /troupe\/core has no child nobody/)
  })

  test('comes back with its host', async () => {
    const { facts } = await nodeThat(({ state }) => state === 'running')
    const { facts: core } = await troupe.child('core')
    process.kill(core.pid, 'SIGKILL')
    await gone(facts!.pid)
    await gone(core.pid)
    await eventually('another process serves', async () => {
      const now = await node().catch(() => undefined)
      return now?.state === 'running' && now.facts?.pid !== facts!.pid
    })
  })
})
