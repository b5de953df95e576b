// Ways out that Node's permission model itself leaves open.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { launchOf } from '../../src/isolation/index.ts'
import { NO_PERMISSIONS } from '../../src/plugins/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'troupe-escapes-'))
after(() => rmSync(folder, { recursive: true }))

function packageWith(name: string, code: string): { entry: string; path: string } {
  const path = join(folder, name)
  mkdirSync(path)
  const entry = join(path, 'index.mjs')
  writeFileSync(entry, code)
  return { entry, path }
}

test('a link that leads out of the package refuses the package, also one that leads nowhere yet', () => {
  for (const [name, target] of [
    ['etc', '/etc'],
    ['nowhere', '/no/such/file'],
  ] as const) {
    const { entry, path } = packageWith(name, '')
    mkdirSync(join(path, 'deep'))
    symlinkSync(target, join(path, 'deep', 'link'))
    assert.throws(() => launchOf(entry, path, NO_PERMISSIONS), { code: 'plugin_invalid', message: new RegExp(target) })
    const declared = { ...NO_PERMISSIONS, files: { read: ['./deep/link'], write: [] } }
    assert.throws(() => launchOf(entry, path, declared), { code: 'plugin_invalid' })
  }
})

test('a link within the package is none of anybody’s business', () => {
  const { entry, path } = packageWith('within', '')
  symlinkSync('./index.mjs', join(path, 'again.mjs'))
  assert.equal(typeof launchOf(entry, path, NO_PERMISSIONS).command, 'string')
})

const ATTEMPTS = `
import os from 'node:os'
const pid = Number(process.env.VICTIM)
const attempts = {
  kill: () => process.kill(pid, 'SIGKILL'),
  parent: () => process.kill(process.ppid, 0),
  everybody: () => process.kill(-1, 0),
  beneath: () => process._kill(pid, 9),
  debug: () => process._debugProcess(pid),
  slow: () => os.setPriority(pid, 19),
  replace: () => { process.kill = 1 },
}
const codes = {}
for (const [name, attempt] of Object.entries(attempts)) {
  try { attempt(); codes[name] = 'done' } catch (error) { codes[name] = error.code ?? error.name }
}
console.log(JSON.stringify(codes))
process.kill(process.pid, 'SIGTERM')
`

test('no other process can be signalled, debugged or slowed; itself it can end', () => {
  const victim = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  const { entry, path } = packageWith('signals', ATTEMPTS)
  const { command, args } = launchOf(entry, path, NO_PERMISSIONS)
  const ran = spawnSync(command, args, {
    cwd: path,
    env: { PATH: '/usr/bin:/bin', VICTIM: String(victim.pid) },
    encoding: 'utf8',
    timeout: 120_000,
  })
  victim.kill('SIGKILL')
  const denied = 'ERR_ACCESS_DENIED'
  assert.deepEqual(
    JSON.parse(ran.stdout),
    {
      kill: denied,
      parent: denied,
      everybody: denied,
      beneath: denied,
      debug: denied,
      slow: denied,
      replace: 'TypeError',
    },
    ran.stderr,
  )
  assert.equal(ran.signal, 'SIGTERM')
})

const OUT = `
import dns, { lookup, resolve4 } from 'node:dns'
import net from 'node:net'
const declared = { host: 'localhost', port: 9 }
const attempts = {
  socket: () => net.connect({ path: '/run/postgresql/.s.PGSQL.5432', ...declared }),
  elsewhere: () => net.connect({ ...declared, lookup: (name, options, found) => found(null, '192.0.2.1', 4) }),
  name: () => lookup('secret.example.com', () => {}),
  later: () => dns.promises.lookup('secret.example.com'),
  ask: () => resolve4('secret.example.com', () => {}),
  asker: () => new dns.promises.Resolver().resolveTxt('secret.example.com'),
  back: () => { dns.resolve = lookup },
  declared: () => dns.promises.lookup('localhost'),
  reached: () => new Promise((done, failed) => net.connect(declared).on('error', failed)),
}
const codes = {}
for (const [name, attempt] of Object.entries(attempts)) {
  try { await attempt(); codes[name] = 'done' } catch (error) { codes[name] = error.code ?? error.name }
}
console.log(JSON.stringify(codes))
process.exit()
`

test('who may reach one address reaches no other by a socket of this machine, an own lookup or a name server', () => {
  const { entry, path } = packageWith('out', OUT)
  const { command, args } = launchOf(entry, path, { ...NO_PERMISSIONS, network: ['localhost:9'] })
  const ran = spawnSync(command, args, { cwd: path, env: { PATH: '/usr/bin:/bin' }, encoding: 'utf8', timeout: 30_000 })
  const denied = 'ERR_ACCESS_DENIED'
  assert.deepEqual(
    JSON.parse(ran.stdout),
    {
      socket: denied,
      elsewhere: denied,
      name: denied,
      later: denied,
      ask: denied,
      asker: denied,
      back: 'TypeError',
      declared: 'done',
      reached: 'ECONNREFUSED',
    },
    ran.stderr,
  )
})
