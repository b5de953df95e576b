// The console's files as the gateway serves them, and what its credential may ask first.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readSettings } from '../../src/boot/settings.ts'
import { type Started, startGateway } from './support/start.ts'

const FOLDER = join(import.meta.dirname, '..', '..', 'web')
const served = readdirSync(FOLDER).filter((name) => !/\.(ts|json)$/.test(name))
let started: Started

before(async () => {
  started = await startGateway()
})
after(async () => await started[Symbol.asyncDispose]())

const look = (path: string, init: RequestInit = {}) => fetch(started.url + path, { redirect: 'manual', ...init })

test('the printed address leads to the console, also behind a proxy that puts a path before', async () => {
  for (const [path, to] of [
    ['/', 'console/'],
    ['/console', 'console/'],
  ] as const) {
    const answer = await look(path)
    assert.deepEqual([answer.status, answer.headers.get('location')], [302, to])
  }
  assert.match(await (await look('/console/')).text(), /<script type="module" src="console\.js">/)
})

test('every file of the folder is served as what it is, without a credential, and nothing else is', async () => {
  for (const name of served) {
    const answer = await look(`/console/${name}`)
    assert.equal(answer.status, 200, name)
    assert.equal(await answer.text(), readFileSync(join(FOLDER, name), 'utf8'), name)
    const type = answer.headers.get('content-type') ?? ''
    const wanted = { js: /^text\/javascript/, css: /^text\/css/, html: /^text\/html/, svg: /^image\/svg/ }
    assert.match(type, wanted[name.split('.').at(-1) as keyof typeof wanted], name)
  }
  const others = [
    'tsconfig.json',
    'views.ts',
    'nothing.js',
    '..%2Fpackage.json',
    '%2e%2e/package.json',
    'sub/console.js',
  ]
  for (const path of others) {
    const answer = await look(`/console/${path}`)
    assert.equal(answer.status, 404, path)
    assert.match(answer.headers.get('content-type') ?? '', /problem\+json/, path)
  }
})

test('the page may load nothing from elsewhere, run nothing inline, be framed by nobody, and make no markup of text', async () => {
  const { headers } = await look('/console/')
  const policy = headers.get('content-security-policy')?.split('; ')
  assert.deepEqual(policy, [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ])
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
})

test('a browser that has a file asks whether it changed and is told that it did not', async () => {
  const first = await look('/console/console.js')
  assert.equal(first.headers.get('cache-control'), 'no-cache')
  const etag = first.headers.get('etag') ?? ''
  const again = await look('/console/console.js', { headers: { 'if-none-match': etag } })
  assert.deepEqual([again.status, await again.text()], [304, ''])
})

test('turned off, there is no console, and the printed address leads to the documentation', async () => {
  await using off = await startGateway({ config: { console: false } })
  const front = await fetch(`${off.url}/`, { redirect: 'manual' })
  assert.deepEqual([front.status, front.headers.get('location')], [302, 'docs'])
  for (const path of ['/console', '/console/', '/console/console.js']) {
    assert.equal((await fetch(off.url + path)).status, 404, path)
  }
})

test('TROUPE_CONSOLE is on or off', () => {
  const console = (value?: string) => readSettings({ TROUPE_CONSOLE: value }).gateway.console
  assert.deepEqual([console(), console('on'), console('off')], [true, true, false])
  assert.throws(() => console('no'), /TROUPE_CONSOLE is no; it must be on or off/)
})

test('a credential learns who it is', async () => {
  const admin = await started.call('GET', '/v1/self')
  assert.deepEqual([admin.json.tenant, admin.json.role, admin.json.platform], ['default', 'admin', true])
  const viewer = await started.call('GET', '/v1/self', { key: await started.key('viewer', 'acme') })
  assert.deepEqual([viewer.json.tenant, viewer.json.role, viewer.json.platform], ['acme', 'viewer', false])
  assert.equal((await started.call('GET', '/v1/self', { key: 'trp_nobody' })).status, 401)
})
