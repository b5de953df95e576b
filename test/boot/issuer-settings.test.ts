// An installation that trusts an issuer: real processes, tokens signed by keys of a key set that is served over HTTP.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { eventually } from '../support/eventually.ts'
import { type Installation, runTroupe, startInstallation, temporaryFolder } from './installation.ts'

let server: Server
let url: string
/** What the issuer calls itself, when it is not its address. */
let calledItself: string | undefined
let keys: JWK[] = []
let signing: CryptoKey
let troupe: Installation

async function newKey(kid: string): Promise<CryptoKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  keys = [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }]
  return privateKey
}

const token = (key: CryptoKey, kid: string, changes: Record<string, unknown> = {}) =>
  new SignJWT({ tenant: 'acme', groups: 'submitter', ...changes })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setIssuer(url)
    .setAudience((changes.aud as string | undefined) ?? 'troupe')
    .setSubject('ada')
    .setExpirationTime('5m')
    .sign(key)

async function submit(bearer: string): Promise<number> {
  const response = await fetch(`${troupe.url}/v1/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ agent: 'document-analyzer', input: { document: { text: 'Minutes.', name: 'm.txt' } } }),
  })
  await response.arrayBuffer()
  return response.status
}

before(async () => {
  server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    const discovery = request.url === '/.well-known/openid-configuration'
    response.end(JSON.stringify(discovery ? { issuer: calledItself ?? url, jwks_uri: `${url}/keys` } : { keys }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  signing = await newKey('one')
  troupe = await startInstallation({
    env: { TROUPE_ISSUER: url, TROUPE_ISSUER_AUDIENCE: 'troupe', TROUPE_ISSUER_ROLE_CLAIM: 'groups' },
  })
})
after(async () => {
  await troupe?.stop()
  server.close()
  server.closeAllConnections()
})

test('a token of the issuer submits; for another audience, or without a role where the setting says, it does not', async () => {
  assert.equal(await submit(await token(signing, 'one')), 202)
  assert.equal(await submit(await token(signing, 'one', { aud: 'another' })), 401)
  assert.equal(await submit(await token(signing, 'one', { groups: 'viewer' })), 403)
  assert.equal(await submit(await token(signing, 'one', { groups: undefined, role: 'admin' })), 403)
})

test('a rotated key is followed while the installation runs, and the withdrawn one opens nothing', async () => {
  const old = await token(signing, 'one')
  const next = await token(await newKey('two'), 'two')
  // The issuer is asked again five seconds after it was asked last; until then the new key is not known.
  await eventually('the new key is known', async () => (await submit(next)) === 202, 20_000)
  assert.equal(await submit(old), 401)
})

test('an issuer that is described as another one is refused at the start, in one coded line', async () => {
  calledItself = `${url}/`
  try {
    const env = { TROUPE_ISSUER: url, TROUPE_ISSUER_AUDIENCE: 'troupe' }
    const { code, err } = await runTroupe(['--data', temporaryFolder(), 'up', '--port', '0'], { env })
    assert.notEqual(code, 0)
    assert.match(err, /configuration_invalid.*describes "http:\/\/127\.0\.0\.1:\d+\/", not http/)
  } finally {
    calledItself = undefined
  }
})

test('an issuer without an audience is refused at the start, before anything is started', async () => {
  const { code, err } = await runTroupe(['--data', temporaryFolder(), 'up', '--port', '0'], {
    env: { TROUPE_ISSUER: url },
  })
  assert.notEqual(code, 0)
  assert.match(err, /TROUPE_ISSUER_AUDIENCE/)
  assert.doesNotMatch(err, /starting in/)
})
