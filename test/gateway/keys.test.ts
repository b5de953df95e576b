import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { decodeJwt, SignJWT } from 'jose'
import { TroupeError } from '../../src/contract/errors.ts'
import { ensureAdminKey } from '../../src/gateway/index.ts'
import { type Started, startGateway } from './support/start.ts'

let started: Started
before(async () => {
  started = await startGateway()
})
after(async () => await started[Symbol.asyncDispose]())

const token = (form: Record<string, string>, headers: Record<string, string> = {}) =>
  started.call('POST', '/oauth/token', {
    key: undefined,
    raw: new URLSearchParams(form).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })

test('the first start makes an admin key that only its owner can read; the next start uses the same', async () => {
  const path = join(started.folder, 'admin.key')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await readFile(path, 'utf8')).trim(), started.adminKey)
  assert.equal(await ensureAdminKey(started.folder, started.store), started.adminKey)
})

test('an admin key file that others could read is closed to them; one that holds no key is refused', async () => {
  await using other = await startGateway()
  const path = join(other.folder, 'admin.key')
  await writeFile(path, other.adminKey)
  const { chmod } = await import('node:fs/promises')
  await chmod(path, 0o644)
  await ensureAdminKey(other.folder, other.store)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  await writeFile(path, 'something else')
  await assert.rejects(ensureAdminKey(other.folder, other.store), { code: 'configuration_invalid' })
})

test('without a credential, with a guessed, malformed or unknown one: 401 with a challenge, and nothing tells which', async () => {
  const wrong = [undefined, 'trp_short', `trp_${'A'.repeat(43)}`, 'nonsense', 'a.b.c', 'x'.repeat(9_000)]
  for (const key of wrong) {
    const answer = await started.call('GET', '/v1/tasks', { key })
    assert.equal(answer.status, 401)
    assert.equal(answer.json.code, 'unauthenticated')
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/)
  }
  const basic = await started.call('GET', '/v1/tasks', { key: undefined, headers: { authorization: 'Basic YTpi' } })
  assert.equal(basic.status, 401)
})

test('x-api-key is as good as Authorization', async () => {
  const answer = await started.call('GET', '/v1/agents', {
    key: undefined,
    headers: { 'x-api-key': started.adminKey },
  })
  assert.equal(answer.status, 200)
})

test('a change whose audit entry cannot be written is refused as any other refusal is', async () => {
  await using own = await startGateway()
  const { appendAudit } = own.store
  own.store.appendAudit = async () => {
    throw new TroupeError('disk_full', 'no space left for gateway.db')
  }
  const made = await own.call('POST', '/v1/keys', { body: { name: 'ci', role: 'submitter' } })
  assert.deepEqual([made.status, made.json.code, made.json.detail], [503, 'disk_full', 'no space left for gateway.db'])
  assert.match(made.headers.get('content-type') ?? '', /^application\/problem\+json/)
  const wrong = await own.call('POST', '/v1/keys', { body: { name: 'ci', role: 'king' } })
  assert.deepEqual([wrong.status, wrong.json.code], [400, 'invalid_request'])
  own.store.appendAudit = appendAudit
})

test('the secret of a key is shown once and stored only as a hash', async () => {
  const made = await started.call('POST', '/v1/keys', { body: { name: 'ci', role: 'submitter' } })
  assert.equal(made.status, 201)
  assert.match(made.json.secret, /^trp_[A-Za-z0-9_-]{43}$/)
  const listed = await started.call('GET', '/v1/keys')
  assert.ok(!listed.text.includes(made.json.secret))
  const database = await readFile(join(started.folder, 'gateway.db'), 'latin1')
  const log = await readFile(join(started.folder, 'gateway.db-wal'), 'latin1')
  assert.ok(!(database + log).includes(made.json.secret))
})

test('a revoked key is refused at once, an expired one from its moment on', async () => {
  const made = await started.call('POST', '/v1/keys', { body: { name: 'gone', role: 'viewer' } })
  const use = () => started.call('GET', '/v1/agents', { key: made.json.secret })
  assert.equal((await use()).status, 200)
  assert.equal((await started.call('DELETE', `/v1/keys/${made.json.id}`)).status, 204)
  assert.equal((await use()).status, 401)
  assert.equal((await started.call('DELETE', `/v1/keys/${made.json.id}`)).status, 404)
  const expired = await started.call('POST', '/v1/keys', {
    body: { name: 'old', role: 'viewer', expiresAt: '2020-01-01T00:00:00Z' },
  })
  assert.equal((await started.call('GET', '/v1/agents', { key: expired.json.secret })).status, 401)
})

test('each role may do what it may and nothing above it', async () => {
  const [viewer, submitter, operator] = await Promise.all([
    started.key('viewer'),
    started.key('submitter'),
    started.key('operator'),
  ])
  const body = { agent: 'echo', input: 1 }
  const statusOf = async (key: string, method: string, path: string, sent?: unknown) =>
    (await started.call(method, path, { key, ...(sent === undefined ? {} : { body: sent }) })).status
  assert.equal(await statusOf(viewer, 'GET', '/v1/tasks'), 200)
  assert.equal(await statusOf(viewer, 'POST', '/v1/tasks', body), 403)
  assert.equal(await statusOf(submitter, 'POST', '/v1/tasks', body), 202)
  assert.equal(await statusOf(submitter, 'GET', '/v1/supervision'), 403)
  assert.equal(await statusOf(operator, 'GET', '/v1/supervision'), 503)
  assert.equal(await statusOf(operator, 'GET', '/v1/keys'), 403)
  assert.equal(await statusOf(operator, 'GET', '/v1/audit'), 403)
})

test('client credentials, in the form or as Basic, give a short token that works and falls with its key', async () => {
  const made = await started.call('POST', '/v1/keys', { body: { name: 'client', role: 'viewer' } })
  const { id, secret } = made.json
  const granted = await token({ grant_type: 'client_credentials', client_id: id, client_secret: secret })
  assert.equal(granted.status, 200)
  assert.equal(granted.json.token_type, 'Bearer')
  assert.equal(granted.headers.get('cache-control'), 'no-store')
  const basic = await token(
    { grant_type: 'client_credentials' },
    { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
  )
  for (const { access_token } of [granted.json, basic.json]) {
    assert.equal((await started.call('GET', '/v1/agents', { key: access_token })).status, 200)
    assert.equal((await started.call('POST', '/v1/tasks', { key: access_token, body: {} })).status, 403)
  }
  await started.call('DELETE', `/v1/keys/${id}`)
  assert.equal((await started.call('GET', '/v1/agents', { key: granted.json.access_token })).status, 401)
})

test('the token endpoint refuses in the words of RFC 6749', async () => {
  const other = await token({ grant_type: 'password', username: 'a', password: 'b' })
  assert.deepEqual([other.status, other.json.error], [400, 'unsupported_grant_type'])
  const none = await token({ grant_type: 'client_credentials' })
  assert.deepEqual([none.status, none.json.error], [400, 'invalid_request'])
  const made = await started.call('POST', '/v1/keys', { body: { name: 'mine', role: 'viewer' } })
  const foreign = { grant_type: 'client_credentials', client_id: 'key_other', client_secret: made.json.secret }
  const refused = await token(foreign)
  assert.deepEqual([refused.status, refused.json.error], [401, 'invalid_client'])
})

test('a token of ours with its claims, issuer or signature changed is refused', async () => {
  const made = await started.call('POST', '/v1/keys', { body: { name: 'tampered', role: 'viewer' } })
  const form = { grant_type: 'client_credentials', client_id: made.json.id, client_secret: made.json.secret }
  const good: string = (await token(form)).json.access_token
  const [header, , signature] = good.split('.')
  const claims = { ...decodeJwt(good), role: 'admin', tenant: 'default' }
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const jwks = (await started.call('GET', '/.well-known/jwks.json', { key: undefined })).json
  const sharedSecret = new TextEncoder().encode(JSON.stringify(jwks.keys[0]))
  const confused = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' }).sign(sharedSecret)
  const tampered = [
    `${header}.${part(claims)}.${signature}`,
    `${part({ alg: 'none', typ: 'at+jwt' })}.${part(claims)}.`,
    `${part({ alg: 'NONE', typ: 'at+jwt' })}.${part(claims)}.`,
    `${header}.${part(claims)}.`,
    confused,
  ]
  for (const key of tampered) assert.equal((await started.call('GET', '/v1/agents', { key })).status, 401)
})

test('the audit trail names who did what, without secrets, and its chain holds', async () => {
  const made = await started.call('POST', '/v1/keys', { body: { name: 'watched', role: 'submitter' } })
  await started.call('POST', '/v1/tasks', { key: made.json.secret, body: { agent: 'echo', input: 'a secret input' } })
  await started.call('GET', '/v1/keys', { key: made.json.secret })
  const trail = await started.call('GET', '/v1/audit?limit=500')
  const mine = trail.json.entries.filter((entry: { subject: string }) => entry.subject === made.json.id)
  assert.deepEqual(
    mine.map((entry: { action: string; status: number }) => [entry.action, entry.status]),
    [
      ['task.submit', 202],
      ['GET /v1/keys', 403],
    ],
  )
  assert.ok(!trail.text.includes('a secret input') && !trail.text.includes(made.json.secret))
  const verdict = await started.call('GET', '/v1/audit/verification')
  assert.equal(verdict.json.intact, true)
  assert.equal(verdict.json.head, (await lastEntry(verdict.json.entries)).hash)
})

test('the audit trail is read from either end, and goes on where the page before ended', async () => {
  const numbers = async (query: string): Promise<number[]> =>
    (await started.call('GET', `/v1/audit?limit=3${query}`)).json.entries.map(
      ({ number }: { number: number }) => number,
    )
  const first = (await started.call('GET', '/v1/audit?limit=3&order=desc')).json
  const newest = first.entries[0].number
  assert.equal(newest, (await started.call('GET', '/v1/audit/verification')).json.entries, 'nothing is behind it')
  const then = await numbers(`&order=desc&after=${first.next}`)
  assert.ok(then[0]! < first.entries[2].number && then[0]! > then[1]!)
  assert.deepEqual(await numbers(''), await numbers('&order=asc&after=0'))
})

test('an entry that is changed, removed or inserted breaks the chain where it stands', async () => {
  await using other = await startGateway()
  for (let count = 0; count < 5; count++) await other.key('viewer')
  const { DatabaseSync } = await import('node:sqlite')
  const spoil = async (sql: string): Promise<{ intact: boolean; entries: number; because: string }> => {
    const database = new DatabaseSync(join(other.folder, 'gateway.db'))
    database.exec(sql)
    database.close()
    return (await other.call('GET', '/v1/audit/verification')).json
  }
  assert.equal((await spoil('SELECT 1')).intact, true)
  const changed = await spoil(`UPDATE audit SET entry = json_set(entry, '$.subject', 'nobody') WHERE number = 3`)
  assert.deepEqual(changed, { intact: false, entries: 2, because: 'hash' })
  const removed = await spoil('DELETE FROM audit WHERE number = 3')
  assert.deepEqual(removed, { intact: false, entries: 2, because: 'gap' })
})

async function lastEntry(number: number): Promise<{ hash: string }> {
  return (await started.call('GET', `/v1/audit?after=${number - 1}&limit=1`)).json.entries[0]
}
