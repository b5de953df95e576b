// A cluster's database is copied while tasks wait, run and come in, and restored into another, empty one: what had been
// accepted when the copy was made is there and goes on.
import assert from 'node:assert/strict'
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { restorePostgres } from '../../src/boot/backup-postgres.ts'
import {
  type Installation,
  type Ran,
  ROOT,
  runTroupe,
  startInstallation,
  temporaryFolder,
} from '../boot/installation.ts'
import { missing, startNats, startPostgres, type TestServer } from '../support/servers.ts'

const AGENTS = [join(ROOT, 'examples', 'contract-reviewer'), join(ROOT, 'test', 'chaos', 'agents')].join(',')
/** What a line of JSON must not be cut at, and what a database tends to change. */
const ODD = 'The supplier has unlimited liability.\u2028 \\u0000 "\\" 😀 \t\r\n é'
const ENDED = ['completed', 'failed', 'cancelled', 'rejected']

describe('backup and restore of a cluster', { skip: missing('postgres') || missing('nats') }, () => {
  let first: TestServer
  let second: TestServer
  let nats: TestServer
  let troupe: Installation
  const place = temporaryFolder()
  const backup = join(place, 'backup')
  const content = Buffer.from(Array.from({ length: 700_000 }, (_, index) => index % 251))
  let waiting: string
  let documentId: string
  const accepted: string[] = []

  const cluster = (postgres: TestServer) =>
    startInstallation({
      args: ['--postgres', postgres.url, '--nats', nats.url, '--hosts', '1'],
      env: { TROUPE_AGENTS: AGENTS, CHAOS_FOLDER: place, TROUPE_GRACE_MS: '2000' },
    })
  const command = (args: string[], postgres: TestServer): Promise<Ran> =>
    runTroupe(args, { env: { TROUPE_POSTGRES_URL: postgres.url, TROUPE_NATS_URL: nats.url } })

  async function until(installation: Installation, id: string, states: string[]) {
    for (let look = 0; look < 600; look++) {
      const task = await installation.call('GET', `/v1/tasks/${id}`)
      if (states.includes(task.state)) return task
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return assert.fail(`${id} came to none of ${states.join(', ')}`)
  }

  before(async () => {
    ;[first, second, nats] = await Promise.all([startPostgres(), startPostgres(), startNats()])
    troupe = await cluster(first)
  })
  after(async () => {
    await troupe?.stop()
    await Promise.all([first?.stop(), second?.stop(), nats?.stop()])
  })

  test('a copy is made while tasks wait, run and come in; it overwrites no other', async () => {
    waiting = (await troupe.call('POST', '/v1/tasks', { agent: 'contract-reviewer', input: { text: ODD } })).id
    await until(troupe, waiting, ['input-required'])
    const file = join(place, 'bytes.bin')
    writeFileSync(file, content)
    const put = await troupe.troupe(['documents', 'put', file, '--json'])
    assert.equal(put.code, 0, put.err)
    documentId = JSON.parse(put.out).id
    for (let n = 0; n < 20; n++) {
      const body = { agent: 'chaos-ledger', input: { ms: n < 10 ? 1 : 1_500 } }
      accepted.push((await troupe.call('POST', '/v1/tasks', body)).id)
    }
    let stopped = false
    const load = (async () => {
      while (!stopped) await troupe.call('POST', '/v1/tasks', { agent: 'chaos-ledger', input: { ms: 5 } })
    })()
    const made = await command(['--json', 'backup', backup], first)
    stopped = true
    await load
    assert.equal(made.code, 0, made.err)
    assert.ok(JSON.parse(made.out).files > 10)
    assert.equal((await command(['backup', backup], first)).code, 4)
  })

  test('it is refused where something is, when it is damaged, unfinished, newer, or nothing of ours', async () => {
    const refused = async (change: (folder: string) => void, code: string, message: RegExp, target = second) => {
      const folder = join(place, 'changed')
      cpSync(backup, folder, { recursive: true })
      change(folder)
      await assert.rejects(restorePostgres(folder, target.url), { code, message })
      rmSync(folder, { recursive: true })
    }
    const rewrite = (change: (manifest: Record<string, unknown>) => void) => (folder: string) => {
      const path = join(folder, 'backup.json')
      const manifest = JSON.parse(readFileSync(path, 'utf8'))
      change(manifest)
      writeFileSync(path, JSON.stringify(manifest))
    }
    await refused(() => {}, 'wrong_state', /holds rows/, first)
    await refused((folder) => appendFileSync(join(folder, 'troupe.tasks.ndjson.gz'), 'x'), 'backup_damaged', /damaged/)
    await refused((folder) => rmSync(join(folder, 'troupe.log.ndjson.gz')), 'backup_damaged', /missing/)
    await refused((folder) => rmSync(join(folder, 'backup.json')), 'invalid_command', /not a whole backup/)
    await refused(
      (folder) => writeFileSync(join(folder, 'backup.json'), '{"a":1}'),
      'invalid_command',
      /not of a backup/,
    )
    await refused(
      rewrite((manifest) => Object.assign(manifest, { format: 3 })),
      'journal_newer',
      /format 3/,
    )
    await refused(
      rewrite((manifest) => Object.assign(manifest.versions!, { troupe: 99 })),
      'journal_newer',
      /99/,
    )
    await refused(
      rewrite((manifest) => Object.assign(manifest.versions!, { troupe: 0 })),
      'wrong_state',
      /the Troupe that made it/,
    )
    const embedded = await runTroupe(['--data', join(place, 'data'), 'restore', backup])
    assert.match(embedded.err, /^wrong_state: .*TROUPE_POSTGRES_URL/m)
  })

  test('restored into an empty database, tasks are as they were and go on; the document is the same', async () => {
    const before = await troupe.call('GET', `/v1/tasks/${waiting}/events`)
    assert.equal(await troupe.stop(), 0)
    const restored = await command(['restore', backup], second)
    assert.equal(restored.code, 0, restored.err)
    assert.match((await command(['restore', backup], second)).err, /^wrong_state: /m)
    troupe = await cluster(second)

    const task = await until(troupe, waiting, ['input-required'])
    assert.equal(task.input.text, ODD)
    assert.deepEqual(await troupe.call('GET', `/v1/tasks/${waiting}/events`), before)
    const told = await troupe.troupe(['tasks', 'message', waiting, 'decide', '{"approved":true}'])
    assert.equal(told.code, 0, told.err)
    assert.equal((await until(troupe, waiting, ENDED)).output.approved, true)
    for (const id of accepted) assert.equal((await until(troupe, id, ENDED)).state, 'completed', id)

    const out = join(place, 'again.bin')
    const got = await troupe.troupe(['documents', 'get', documentId, '--output', out])
    assert.equal(got.code, 0, got.err)
    assert.ok(readFileSync(out).equals(content))
    const audit = await troupe.call('GET', '/v1/audit/verification')
    assert.equal(audit.intact, true, JSON.stringify(audit))
  })
})
