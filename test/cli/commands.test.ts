// The `troupe` command against a running installation: data on stdout, chatter on stderr, an exit status that scripts
// can rely on.
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Installation, runTroupe, startInstallation, temporaryFolder } from '../boot/installation.ts'

let troupe: Installation

before(async () => {
  troupe = await startInstallation()
})
after(() => troupe.stop())

const input = JSON.stringify({ document: { text: 'Ada Lovelace met Charles Babbage on 5 June 1833 in London.' } })

test('submit --wait gives the output on stdout, and nothing else', async () => {
  const { code, out, err } = await troupe.troupe(['submit', 'document-analyzer', input, '--wait'])
  assert.equal(code, 0, err)
  assert.equal(JSON.parse(out).document.characters, 58)
  assert.match(err, /^task_\w+ for document-analyzer@/)
})

test('submit --follow tells on stderr what happens, and takes the input from stdin', async () => {
  const { code, out, err } = await troupe.troupe(['submit', 'document-analyzer', '-', '--follow'], input)
  assert.equal(code, 0, err)
  assert.ok(JSON.parse(out).entities.length > 0)
  assert.match(err, /accepted for document-analyzer/)
  assert.match(err, /step reading done in/)
  assert.match(err, /task completed/)
})

test('submit --document stores the file and puts it into the input', async () => {
  const file = join(troupe.data, 'letter.txt')
  writeFileSync(file, 'Dear Sir, the delivery arrives on 1 May 2025. Yours, Grace Hopper')
  const { code, out, err } = await troupe.troupe(['submit', 'document-analyzer', '--document', file, '--wait'])
  assert.equal(code, 0, err)
  assert.equal(JSON.parse(out).document.name, 'letter.txt')
})

test('submit without waiting gives the id alone, which the other commands take', async () => {
  const submitted = await troupe.troupe(['submit', 'document-analyzer', input])
  const id = submitted.out.trim()
  assert.match(id, /^task_\w{26}$/)
  const followed = await troupe.troupe(['tasks', 'follow', id, '--json'])
  assert.equal(followed.code, 0)
  const events = followed.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    events.map(({ number }) => number),
    events.map((_, index) => index + 1),
  )
  const shown = await troupe.troupe(['tasks', 'show', id, '--json'])
  assert.equal(JSON.parse(shown.out).state, 'completed')
  const listed = await troupe.troupe(['tasks', 'ls', '--state', 'completed'])
  assert.match(listed.out, new RegExp(`^${id} +document-analyzer +completed`, 'm'))
  const trace = await troupe.troupe(['trace', id])
  assert.match(trace.out, /^invoke_agent document-analyzer +█+ +\d/)
  const cancelled = await troupe.troupe(['tasks', 'cancel', id])
  assert.equal(cancelled.code, 4)
  assert.match(cancelled.err, /^wrong_state: /)
})

test('a task that fails ends the command with 1 and says why', async () => {
  const wrong = JSON.stringify({ document: { id: 'doc_00000000000000000000000000' } })
  const { code, err } = await troupe.troupe(['submit', 'document-analyzer', wrong, '--wait'])
  assert.equal(code, 1)
  assert.match(err, /task_\w+ failed: /)
})

test('a task that is retried is followed from its first end to its last', async () => {
  const failing = JSON.stringify({ document: { id: 'doc_00000000000000000000000000' } })
  const first = await troupe.troupe(['submit', 'document-analyzer', failing, '--wait', '--json'])
  const { id } = JSON.parse(first.out)
  const again = await troupe.troupe(['tasks', 'retry', id, '--follow'])
  assert.equal(again.code, 1)
  assert.equal(again.err.match(/task failed/g)?.length, 2, again.err)
  assert.match(again.err, new RegExp(`${id} failed: `))
  const { out, err } = await troupe.troupe(['tasks', 'follow', id])
  assert.equal(out.match(/task failed/g)?.length, 2, out + err)
})

test('the exit status tells a wrong command, an unknown thing and a closed door apart', async () => {
  const status = async (...args: string[]) => (await troupe.troupe(args)).code
  assert.equal(await status('no-such-command'), 2)
  assert.equal(await status('submit', 'document-analyzer', '{"document":'), 2)
  assert.equal(await status('submit', 'document-analyzer', '{"document":7}'), 2)
  assert.equal(await status('submit', 'no-such-agent'), 5)
  assert.equal(await status('tasks', 'show', 'task_1'), 5)
  assert.equal(await status('--url', 'http://127.0.0.1:9', 'tasks', 'ls'), 3)
  assert.equal(await status('--key', 'trp_wrong', 'tasks', 'ls'), 4)
})

test('errors are JSON too when JSON is asked for', async () => {
  const { err, out } = await troupe.troupe(['--json', 'tasks', 'show', 'task_1'])
  assert.equal(out, '')
  const { error } = JSON.parse(err)
  assert.equal(error.code, 'not_found')
  assert.ok(error.fix.length > 0)
})

test('documents go in and come out unchanged, and are found by their words', async () => {
  const file = join(troupe.data, 'shore.txt')
  writeFileSync(file, 'The lighthouse keeper polishes the lens every evening.\n')
  const put = await troupe.troupe(['documents', 'put', file, '--collection', 'shore'])
  assert.equal(put.code, 0, put.err)
  assert.equal(put.err, '1 passage in shore\n')
  const named = await troupe.troupe(['documents', 'put', file, '--name', 'The shore', '--json'])
  assert.equal(JSON.parse(named.out).mime, 'text/plain')
  const got = await troupe.troupe(['documents', 'get', put.out.trim()])
  assert.equal(got.out, readFileSync(file, 'utf8'))
  const found = await troupe.troupe(['search', 'shore', 'lighthouse', '--json'])
  assert.equal(JSON.parse(found.out)[0].documentId, put.out.trim())
  const twin = JSON.parse(named.out).id
  assert.equal((await troupe.troupe(['collections', 'add', 'shore', twin])).out, '1 passage in shore\n')
  const deleted = await troupe.troupe(['documents', 'delete', twin])
  assert.equal(deleted.code, 0, deleted.err)
  assert.equal((await troupe.troupe(['documents', 'get', twin])).code, 5)
  assert.match((await troupe.troupe(['collections', 'ls'])).out, /^shore +1 +1$/m, 'and its passages with it')
})

test('quotas are set, shown and listed; an order without a bound is refused', async () => {
  const set = ['quotas', 'set', 'small', '--tasks', '5', '--cost', '1.5']
  assert.match((await troupe.troupe(set)).out, /tasks a day +5\ntokens a month +no bound\ncost a month +1\.5000/)
  assert.match((await troupe.troupe(['quotas', 'ls'])).out, /^small +5 +1\.5000$/m)
  assert.equal((await troupe.troupe(['quotas', 'set', 'small'])).code, 2)
  assert.equal((await troupe.troupe(['quotas', 'set', 'small', '--none'])).code, 0)
  assert.doesNotMatch((await troupe.troupe(['quotas', 'ls'])).out, /^small/m)
})

test('a task that has ended is erased for good, and only by an admin', async () => {
  const labels = ['--label', 'of=nobody']
  const submitted = await troupe.troupe(['submit', 'document-analyzer', input, '--wait', '--json', ...labels])
  const { id } = JSON.parse(submitted.out)
  const made = await troupe.troupe(['keys', 'create', 'hand', '--role', 'operator', '--json'])
  assert.equal((await troupe.troupe(['--key', JSON.parse(made.out).secret, 'tasks', 'erase', id])).code, 4)
  const many = ['tasks', 'erase-many', '--label', 'of=somebody']
  for (let more = 0; more < 2; more++) {
    await troupe.troupe(['submit', 'document-analyzer', input, '--wait', '--label', 'of=somebody'])
  }
  assert.match((await troupe.troupe(many)).err, /2 ended tasks/)
  assert.match((await troupe.troupe([...many, '--yes'])).out, /^2 tasks are erased/)
  assert.equal((await troupe.troupe(['tasks', 'erase-many', '--yes'])).code, 2)
  const erased = await troupe.troupe(['tasks', 'erase', id])
  assert.deepEqual([erased.code, erased.out], [0, `${id} is erased\n`], erased.err)
  assert.equal((await troupe.troupe(['tasks', 'show', id])).code, 5)
  assert.deepEqual((await troupe.call('GET', '/v1/tasks?label=of:nobody')).tasks, [])
})

test('a tenant is removed with all that it has, and only when that is meant; another can begin under its name', async () => {
  const keyOf = async (role: string) =>
    (await troupe.call('POST', '/v1/keys', { name: role, role, tenant: 'leaving' })).secret as string
  const admin = await keyOf('admin')
  const as = async (method: string, path: string, body?: object, key = admin) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const answer = await fetch(troupe.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    const json = (await answer.json()) as Record<string, unknown>
    return { status: answer.status, json }
  }
  const file = join(troupe.data, 'leaving.txt')
  writeFileSync(file, 'The last words of a tenant.\n')
  await troupe.troupe(['--key', admin, 'documents', 'put', file, '--collection', 'words'])
  const work = { agent: 'document-analyzer', input: JSON.parse(input) }
  await as('PUT', '/v1/schedules/nightly', { ...work, cron: '@daily' })
  const { id } = (await as('POST', '/v1/tasks', { ...work, labels: { of: 'leaving' } })).json
  await troupe.call('POST', '/v1/tasks', { ...work, labels: { of: 'staying' } })

  assert.equal((await troupe.troupe(['tenants', 'remove', 'leaving'])).code, 2)
  assert.equal((await troupe.troupe(['tenants', 'remove', 'default', '--yes'])).code, 2, 'its own')
  assert.equal((await as('GET', `/v1/tasks/${id}`)).status, 200)
  const removed = await troupe.troupe(['tenants', 'remove', 'leaving', '--yes'])
  assert.equal(removed.code, 0, removed.err)
  assert.match(removed.out, /keys +1\nschedules +1\nwebhooks +0\ntasks +\d\ncollections +1\ndocuments +[12]\n/)

  assert.equal((await as('GET', '/v1/self')).status, 401)
  const next = await keyOf('admin')
  const left = async (path: string) =>
    Object.values((await as('GET', path, undefined, next)).json).find(Array.isArray) as { action?: string }[]
  for (const path of ['documents', 'collections', 'schedules', 'webhooks', 'tasks']) {
    assert.deepEqual(await left(`/v1/${path}`), [], path)
  }
  const entries = await left('/v1/audit?limit=500')
  assert.ok(entries.some(({ action }) => action === 'document.delete'))
  assert.equal((await troupe.call('GET', '/v1/tasks?label=of:staying')).tasks.length, 1)
})

test('the audit trail is listed newest first, and its chain is verified', async () => {
  const listed = await troupe.troupe(['audit', 'ls', '--limit', '2', '--json'])
  const numbers = JSON.parse(listed.out).entries.map(({ number }: { number: number }) => number)
  assert.equal(numbers.length, 2)
  assert.ok(numbers[0] > numbers[1], listed.out)
  const verified = await troupe.troupe(['audit', 'verify'])
  assert.deepEqual([verified.code, verified.out.startsWith('intact: ')], [0, true], verified.err)
})

test('a key is made, works within its role, and is of no use when revoked', async () => {
  const made = await troupe.troupe(['keys', 'create', 'dashboard', '--role', 'viewer', '--json'])
  const { id, secret } = JSON.parse(made.out)
  assert.equal((await troupe.troupe(['--key', secret, 'tasks', 'ls'])).code, 0)
  assert.equal((await troupe.troupe(['--key', secret, 'submit', 'document-analyzer', input])).code, 4)
  assert.equal((await troupe.troupe(['keys', 'revoke', id])).code, 0)
  assert.equal((await troupe.troupe(['--key', secret, 'tasks', 'ls'])).code, 4)
})

test('tree, agents, models, usage and doctor show what is there', async () => {
  const tree = await troupe.troupe(['tree'])
  assert.match(tree.out, /^troupe .*\n├─ inference +running .*\n├─ retrieval +running .*\n└─ core +running /)
  assert.match((await troupe.troupe(['agents', 'ls'])).out, /^document-analyzer +\d/m)
  assert.match((await troupe.troupe(['agents', 'show', 'document-analyzer'])).out, /^ {2}document\?/m)
  assert.match((await troupe.troupe(['models'])).out, /^document-type +\S+ +READY/m)
  assert.match((await troupe.troupe(['usage'])).out, /^tasks +\d+$/m)
  const doctor = await troupe.troupe(['doctor', '--json'])
  const gateway = JSON.parse(doctor.out).find((finding: { check: string }) => finding.check === 'gateway')
  assert.equal(gateway.verdict, 'ok')
})

test('restart returns when the child is back, and refuses one that is not there', async () => {
  const before = await troupe.child('retrieval')
  const { code, out, err } = await troupe.troupe(['restart', 'troupe/retrieval'])
  assert.equal(code, 0, err)
  assert.match(out, /^troupe\/retrieval runs again after /)
  assert.notEqual((await troupe.child('retrieval')).facts.pid, before.facts.pid)
  assert.equal((await troupe.troupe(['restart', 'troupe/nobody'])).code, 5)
})

test('a backup made while it runs is a whole installation again; nothing is overwritten', async (t) => {
  const place = temporaryFolder()
  t.after(() => rmSync(place, { recursive: true }))
  const backup = join(place, 'backup')
  const made = await troupe.troupe(['backup', backup])
  assert.equal(made.code, 0, made.err)
  assert.equal((await troupe.troupe(['backup', backup])).code, 4, 'a backup overwrites no other')
  const running = await troupe.troupe(['restore', backup])
  assert.equal(running.code, 4)
  assert.match(running.err, /^journal_locked: /)

  const { files } = JSON.parse(readFileSync(join(backup, 'backup.json'), 'utf8'))
  assert.deepEqual(
    Object.keys(files).filter((path) => path.includes('lock')),
    [],
    'what says who uses the folder stays there',
  )
  const data = join(place, 'data')
  assert.equal((await runTroupe(['--data', data, 'restore', backup])).code, 0)
  const { tasks } = JSON.parse((await troupe.troupe(['tasks', 'ls', '--status', 'completed', '--json'])).out)
  const again = await startInstallation({ data })
  t.after(() => again.stop())
  const restored = JSON.parse((await again.troupe(['tasks', 'ls', '--status', 'completed', '--json'])).out)
  assert.deepEqual(restored.tasks, tasks)
  assert.equal(again.key, troupe.key)
  const found = await again.troupe(['search', 'shore', 'lighthouse', '--json'])
  assert.equal(JSON.parse(found.out).length, 1)
})

test('a backup that was changed or broke off is refused, and leaves nothing behind', async (t) => {
  const place = temporaryFolder()
  t.after(() => rmSync(place, { recursive: true }))
  const backup = join(place, 'backup')
  await troupe.troupe(['backup', backup])
  const data = join(place, 'data')
  appendFileSync(join(backup, 'journal.db'), 'x')
  const changed = await runTroupe(['--data', data, 'restore', backup])
  assert.equal(changed.code, 70)
  assert.match(changed.err, /^backup_damaged: .*journal\.db is damaged/)
  rmSync(join(backup, 'backup.json'))
  assert.equal((await runTroupe(['--data', data, 'restore', backup])).code, 2)
  assert.ok(!existsSync(data))
})
