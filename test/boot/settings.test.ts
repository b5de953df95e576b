// Settings of the gateway, from the environment to what callers meet.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from '../../src/boot/settings.ts'
import { GATEWAY_DEFAULTS } from '../../src/gateway/config.ts'
import { runTroupe, startInstallation, temporaryFolder } from './installation.ts'

const issuer = { TROUPE_ISSUER: 'https://login.example/', TROUPE_ISSUER_AUDIENCE: 'troupe' }

test('an issuer is taken as it is written, with what is set of it and nothing else', () => {
  assert.deepEqual(readSettings(issuer).gateway.issuer, { url: 'https://login.example/', audience: 'troupe' })
  const all = {
    ...issuer,
    TROUPE_ISSUER_JWKS_URL: 'https://login.example/keys',
    TROUPE_ISSUER_ALGORITHMS: 'RS256, ES256',
    TROUPE_ISSUER_TENANT_CLAIM: 'org',
    TROUPE_ISSUER_ROLE_CLAIM: 'https://troupe.example/role',
    TROUPE_ISSUER_DEFAULT_ROLE: 'viewer',
  }
  assert.deepEqual(readSettings(all).gateway.issuer, {
    url: 'https://login.example/',
    audience: 'troupe',
    jwksUrl: 'https://login.example/keys',
    algorithms: ['RS256', 'ES256'],
    tenantClaim: 'org',
    roleClaim: 'https://troupe.example/role',
    defaultRole: 'viewer',
  })
  assert.equal(readSettings({}).gateway.issuer, undefined)
})

test('a setting that is incomplete or cannot be meant is refused by its name', () => {
  const wrong: [Record<string, string>, RegExp][] = [
    [{ TROUPE_ISSUER: 'https://login.example' }, /TROUPE_ISSUER_AUDIENCE/],
    [{ TROUPE_ISSUER_AUDIENCE: 'troupe' }, /without TROUPE_ISSUER:/],
    [{ ...issuer, TROUPE_ISSUER: 'login.example' }, /TROUPE_ISSUER is not an address/],
    [{ ...issuer, TROUPE_ISSUER_JWKS_URL: 'file:///keys' }, /TROUPE_ISSUER_JWKS_URL/],
    [{ ...issuer, TROUPE_ISSUER_DEFAULT_ROLE: 'owner' }, /viewer, submitter, operator, admin/],
    [{ TROUPE_PUBLIC_URL: 'troupe.example' }, /TROUPE_PUBLIC_URL/],
    [{ TROUPE_CORS_ORIGINS: 'https://a.example,*' }, /TROUPE_CORS_ORIGINS: \*/],
    [{ TROUPE_CORS_ORIGINS: 'https://a.example/page' }, /TROUPE_CORS_ORIGINS/],
    [{ TROUPE_PROXIES: '0.0.0.0/0' }, /TROUPE_PROXIES/],
    [{ TROUPE_PROXIES: 'proxy.internal' }, /TROUPE_PROXIES/],
    [{ TROUPE_PROXIES: '10.0.0.0/33' }, /TROUPE_PROXIES/],
    [{ TROUPE_RATE_KEY: '0' }, /TROUPE_RATE_KEY is 0/],
    [{ TROUPE_RATE_TENANT: 'many' }, /TROUPE_RATE_TENANT is many/],
    [{ TROUPE_DOCUMENT_BYTES: '-1' }, /TROUPE_DOCUMENT_BYTES/],
    [{ TROUPE_STREAMS: '0' }, /TROUPE_STREAMS is 0; it must be at least 1/],
    [{ TROUPE_WAIT_SECONDS: '1m' }, /TROUPE_WAIT_SECONDS is 1m/],
    [{ TROUPE_UNREADY_MS: '5s' }, /TROUPE_UNREADY_MS is 5s/],
    [{ TROUPE_POSTGRES_POOL: '0' }, /TROUPE_POSTGRES_POOL is 0; it must be at least 1/],
    [{ TROUPE_POSTGRES_POOL: '5000' }, /TROUPE_POSTGRES_POOL is 5000; it must be at most 1000/],
    [{ TROUPE_LLM_BASE_URL: 'http://llm:8000/v1' }, /TROUPE_LLM_MODEL/],
    [{ TROUPE_LLM_MODEL: 'small' }, /TROUPE_LLM_BASE_URL/],
    [{ TROUPE_INFERENCE_TLS_CERT: 'worker.pem' }, /TROUPE_INFERENCE_TLS_KEY belong together/],
  ]
  for (const [environment, message] of wrong) {
    assert.throws(
      () => readSettings(environment),
      { code: 'configuration_invalid', message },
      JSON.stringify(environment),
    )
  }
})

test('how long and how much is told to who keeps to it; what is not set keeps its default', () => {
  const set = readSettings({
    TROUPE_STREAMS: '500',
    TROUPE_WAIT_SECONDS: '50',
    TROUPE_SLOW_REQUEST_MS: '60000',
    TROUPE_UNREADY_MS: '5000',
    TROUPE_POSTGRES_POOL: '2',
  })
  const { maxStreams, maxWaitSeconds, slowRequestMs, unreadyMs } = set.gateway
  assert.deepEqual([maxStreams, set.postgresPool], [{ gateway: 500, tenant: 5_000 }, 2])
  assert.deepEqual([maxWaitSeconds, slowRequestMs, unreadyMs], [50, 60_000, 5_000])
  const defaults = readSettings({})
  assert.deepEqual({ ...GATEWAY_DEFAULTS, ...defaults.gateway }, GATEWAY_DEFAULTS)
  assert.equal(defaults.postgresPool, undefined)
})

test('pages, public address, rate, size and streams that are set are what callers meet', async () => {
  const troupe = await startInstallation({
    env: {
      TROUPE_PUBLIC_URL: 'https://troupe.example/',
      TROUPE_CORS_ORIGINS: 'https://console.example',
      TROUPE_RATE_KEY: '20',
      TROUPE_DOCUMENT_BYTES: '1000',
      TROUPE_STREAMS_TENANT: '1',
    },
  })
  try {
    const authorization = `Bearer ${troupe.key}`
    const from = (origin: string) => fetch(`${troupe.url}/v1/agents`, { headers: { authorization, origin } })
    const allowed = await from('https://console.example')
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://console.example')
    assert.equal((await from('https://other.example')).headers.get('access-control-allow-origin'), null)

    const body = new URLSearchParams({ grant_type: 'client_credentials', client_secret: troupe.key })
    const { keys } = await troupe.call('GET', '/v1/keys')
    body.set('client_id', keys[0].id)
    const granted = await fetch(`${troupe.url}/oauth/token`, { method: 'POST', body })
    const { access_token: token } = (await granted.json()) as { access_token: string }
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { iss: string }
    assert.equal(claims.iss, 'https://troupe.example')

    const form = new FormData()
    form.set('file', new Blob(['x'.repeat(1_001)]), 'large.txt')
    const large = await fetch(`${troupe.url}/v1/documents`, { method: 'POST', headers: { authorization }, body: form })
    assert.equal(large.status, 413)

    const streams = await Promise.all(
      [0, 1].map(() => fetch(`${troupe.url}/v1/events`, { headers: { authorization, accept: 'text/event-stream' } })),
    )
    assert.deepEqual(streams.map(({ status }) => status).sort(), [200, 503])
    for (const { body: stream } of streams) await stream?.cancel()

    const statuses = await Promise.all(
      Array.from({ length: 60 }, async () => (await from('https://other.example')).status),
    )
    assert.ok(statuses.includes(429), `60 requests at once: ${[...new Set(statuses)]}`)
  } finally {
    await troupe.stop()
  }
})

test('a worker with half of its TLS, or a setting that is none, ends with one coded line instead of serving otherwise', async () => {
  const wrong: [string, Record<string, string>, RegExp][] = [
    ['inference', { TROUPE_INFERENCE_TLS_CERT: 'worker.pem' }, /^configuration_invalid: .*TROUPE_INFERENCE_TLS_KEY/m],
    ['inference', { TROUPE_INFERENCE_TLS_CA: 'ca.pem' }, /^configuration_invalid: .*set TROUPE_INFERENCE_TLS_CERT/m],
    ['retrieval', { TROUPE_RETRIEVAL_TLS_KEY: 'worker.key' }, /^configuration_invalid: .*TROUPE_RETRIEVAL_TLS_CERT/m],
    ['inference', { TROUPE_GRACE_MS: 'soon' }, /^configuration_invalid: TROUPE_GRACE_MS is soon/m],
    [
      'inference',
      { TROUPE_INFERENCE_MESSAGE_BYTES: '64M' },
      /^configuration_invalid: TROUPE_INFERENCE_MESSAGE_BYTES is 64M/m,
    ],
    ['retrieval', { TROUPE_GRACE_MS: 'soon' }, /^configuration_invalid: TROUPE_GRACE_MS is soon/m],
    ['inference', { TROUPE_LOG: 'loud' }, /^configuration_invalid: TROUPE_LOG is loud/m],
    ['retrieval', { TROUPE_METRICS_ADDRESS: 'here' }, /^configuration_invalid: TROUPE_METRICS_ADDRESS is here/m],
  ]
  for (const [role, env, line] of wrong) {
    const { code, err } = await runTroupe(['run', role], { env: { ...env, TROUPE_DATA: temporaryFolder() } })
    assert.equal(code, 1, err)
    assert.match(err, line)
  }
})

test('how long a worker may be silent is a time, or 0 for ever', () => {
  const silence = (text: string) => readSettings({ TROUPE_WORKER_SILENCE_MS: text }).workerSilence
  assert.deepEqual(readSettings({}).workerSilence, {})
  assert.deepEqual([silence('0'), silence('5000')], [{ silenceMs: 0 }, { silenceMs: 5_000 }])
  // A timer longer than Node's would fire at once.
  assert.throws(() => silence('4000000000'), /TROUPE_WORKER_SILENCE_MS is 4000000000; it must be at most 3600000/)
})
