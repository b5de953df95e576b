import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose'
import { createIssuerCheck } from '../../src/gateway/auth/issuer.ts'
import { sharedData } from '../support/shared-data.ts'
import { type Started, startGateway } from './support/start.ts'

const vectors = sharedData('security/jwt/wycheproof')

let issuer: Server
let url: string
let keys: JWK[] = []
let down = false
let started: Started
let signing: CryptoKey
let publicKey: CryptoKey

before(async () => {
  issuer = createServer((request, response) => {
    if (down) return response.destroy()
    response.setHeader('content-type', 'application/json')
    const discovery = request.url === '/.well-known/openid-configuration'
    response.end(JSON.stringify(discovery ? { issuer: url, jwks_uri: `${url}/keys` } : { keys }))
  })
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`
  ;({ privateKey: signing, publicKey } = await generateKeyPair('RS256', { extractable: true }))
  keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }]
  started = await startGateway({ config: { issuer: { url, audience: 'troupe-api' }, failedLoginsPerSecond: 10_000 } })
})
after(async () => {
  await started[Symbol.asyncDispose]()
  issuer.close()
})

const claims = { tenant: 'acme', role: 'submitter' }

function tokenWith(changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}): SignJWT {
  return new SignJWT({
    iss: url,
    aud: 'troupe-api',
    sub: 'someone',
    exp: Math.floor(Date.now() / 1_000) + 60,
    ...claims,
    ...changes,
  }).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header })
}

const statusWith = async (key: string) => (await started.call('GET', '/v1/tasks', { key })).status

test('a token of the configured issuer is accepted, in its tenant and role', async () => {
  const key = await tokenWith().sign(signing)
  const accepted = await started.call('POST', '/v1/tasks', { key, body: { agent: 'echo', input: 1 } })
  assert.equal(accepted.status, 202)
  assert.equal((await started.journal.get(accepted.json.id))?.tenant, 'acme')
  assert.equal((await started.call('GET', '/v1/keys', { key })).status, 403)
})

test('claims further down are named by a JSON pointer, and of a list of roles the highest of ours counts', async () => {
  const trusted = { url, audience: 'troupe-api', tenantClaim: '/org~1unit/tenant', roleClaim: '/realm_access/roles' }
  const check = createIssuerCheck(trusted)
  const roleWith = async (roles: unknown, more = {}) => {
    const nested = {
      'org/unit': { tenant: 'acme' },
      realm_access: { roles },
      tenant: undefined,
      role: undefined,
      ...more,
    }
    const { tenant, role } = await check.check(await tokenWith(nested).sign(signing))
    return [tenant, role]
  }
  assert.deepEqual(await roleWith('viewer'), ['acme', 'viewer'])
  assert.deepEqual(await roleWith(['offline_access', 'admin', 'submitter']), ['acme', 'admin'])
  for (const roles of [['offline_access'], [['admin']], { admin: true }]) {
    await assert.rejects(roleWith(roles), { code: 'forbidden' })
  }
  await assert.rejects(roleWith('admin', { 'org/unit': 'acme' }), { code: 'forbidden' })
})

test('a token that is expired, too early, for others, from others, or without subject or expiry is refused', async () => {
  const now = Math.floor(Date.now() / 1_000)
  const wrong = [
    { exp: now - 60 },
    { nbf: now + 60 },
    { aud: 'another-api' },
    { iss: 'https://elsewhere.example' },
    { sub: undefined },
    { exp: undefined },
  ]
  for (const changes of wrong) {
    const key = await tokenWith(changes).sign(signing)
    assert.equal(await statusWith(key), 401, JSON.stringify(changes))
  }
})

test('a token without a usable tenant or role is forbidden', async () => {
  for (const changes of [{ tenant: undefined }, { tenant: 'a.b' }, { tenant: ['acme'] }, { role: 'owner' }]) {
    const key = await tokenWith(changes).sign(signing)
    assert.equal(await statusWith(key), 403, JSON.stringify(changes))
  }
})

test('alg none, key confusion, embedded keys and kid tricks: none is accepted', async () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const good = await tokenWith().sign(signing)
  const [, payload, signature] = good.split('.')
  const pem = new TextEncoder().encode(await exportSPKI(publicKey))
  const own = await generateKeyPair('RS256', { extractable: true })
  const ownJwk = await exportJWK(own.publicKey)
  const forged = [
    ...['none', 'None', 'NONE', 'nOnE', ''].map((alg) => `${part({ alg, kid: 'one' })}.${payload}.`),
    ...['none', 'HS256', 'ES256'].map((alg) => `${part({ alg, kid: 'one' })}.${payload}.${signature}`),
    await tokenWith({}, { alg: 'HS256' }).sign(pem),
    await tokenWith({}, { jwk: ownJwk }).sign(own.privateKey),
    await tokenWith({}, { jku: `${url}/keys` }).sign(own.privateKey),
    await tokenWith({}, { x5u: `${url}/keys` }).sign(own.privateKey),
    ...(await Promise.all(
      ['../../../dev/null', "' OR 1=1 --", 'one\u0000', '', '*'].map((kid) =>
        tokenWith({}, { kid }).sign(own.privateKey),
      ),
    )),
    `${part({ alg: 'RS256', kid: 'one', b64: false, crit: ['b64'] })}.${payload}.${signature}`,
    `${part({ alg: 'RS256', kid: 'one', crit: ['x'] })}.${payload}.${signature}`,
    `${good}.`,
    `${good.slice(0, -4)}AAAA`,
    good.replace('.', '..'),
  ]
  for (const key of forged) assert.equal(await statusWith(key), 401, key)
})

test('a rotated key is found without a restart; the old one is no longer accepted once it is gone', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const before = await tokenWith().sign(signing)
  assert.equal(await statusWith(before), 200)
  const next = await generateKeyPair('ES256', { extractable: true })
  const kept = keys
  keys = [{ ...(await exportJWK(next.publicKey)), kid: 'two', alg: 'ES256', use: 'sig' }]
  t.mock.timers.tick(6_000)
  const rotated = await tokenWith({}, { alg: 'ES256', kid: 'two' }).sign(next.privateKey)
  assert.equal(await statusWith(rotated), 200)
  assert.equal(await statusWith(before), 401)
  keys = kept
})

test('an issuer that cannot be reached is a 503 for its tokens, and nobody else notices', async () => {
  down = true
  try {
    await using other = await startGateway({ config: { issuer: { url, audience: 'troupe-api' } } })
    const key = await tokenWith().sign(signing)
    const answer = await other.call('GET', '/v1/tasks', { key })
    assert.equal(answer.status, 503)
    assert.equal(answer.json.code, 'unavailable')
    assert.equal((await other.call('GET', '/v1/tasks')).status, 200)
  } finally {
    down = false
  }
})

test('an issuer whose keys anyone on the way could replace is refused at the start', async () => {
  const wrong = [
    { url: 'http://login.example', audience: 'troupe-api' },
    { url: 'https://login.example', audience: 'troupe-api', jwksUrl: 'http://login.example/keys' },
  ]
  for (const one of wrong) assert.throws(() => createIssuerCheck(one), { code: 'configuration_invalid' }, one.url)
})

test('what answers with no key set is refused at the start; what does not answer is not', async () => {
  const audience = 'troupe-api'
  const noKeys = { url, audience, jwksUrl: `${url}/.well-known/openid-configuration` }
  await assert.rejects(startGateway({ config: { issuer: noKeys } }), { code: 'configuration_invalid' })
  assert.equal((await createIssuerCheck({ url: 'http://127.0.0.1:9', audience }).look())?.code, 'unavailable')
})

test('a symmetric algorithm in the configuration is refused at the start', async () => {
  const wrong = { url, audience: 'troupe-api', algorithms: ['HS256'] }
  await assert.rejects(startGateway({ config: { issuer: wrong } }), { code: 'configuration_invalid' })
})

test('Wycheproof: with each group’s key as the issuer’s, none of its tokens is accepted', {
  skip: vectors === undefined ? 'shared data security/jwt/wycheproof is absent' : false,
}, async () => {
  let tried = 0
  for (const file of readdirSync(vectors!).filter((name) => name.endsWith('.json'))) {
    const { testGroups } = JSON.parse(readFileSync(join(vectors!, file), 'utf8')) as { testGroups: Group[] }
    for (const group of testGroups) {
      const key = group.public ?? group.private
      const before = keys
      // Also offered as they are: symmetric and private keys in a key set must not be used.
      keys = [key, group.keys].flat().filter((one): one is JWK => one !== undefined)
      // Straight at the check as well: at the door, a token that does not name the issuer would not reach it.
      const check = createIssuerCheck({ url, audience: 'troupe-api', jwksUrl: `${url}/keys` })
      for (const { jws, jwe } of group.tests) {
        const token = jws ?? jwe
        if (token === undefined) continue
        tried++
        const text = typeof token === 'string' ? token : JSON.stringify(token)
        await assert.rejects(check.check(text), { name: 'TroupeError' }, `${file} ${group.comment}`)
        const answer = await started.call('GET', '/v1/tasks', { key: undefined, headers: safely(text) })
        assert.equal(answer.status, 401, `${file} ${group.comment}`)
      }
      keys = before
    }
  }
  assert.ok(tried > 100, `only ${tried} tokens were found in the data`)
})

interface Group {
  comment: string
  public?: JWK
  private?: JWK
  keys?: JWK[]
  tests: { jws?: unknown; jwe?: unknown }[]
}

/** Some vectors hold bytes that no client sends in a header. */
function safely(token: string): Record<string, string> {
  return { authorization: `Bearer ${token.replace(/[^\x20-\x7e]/g, '?')}` }
}
