// Packages of strangers, added and checked: nothing of them runs with our rights, and what is refused leaves nothing.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runTroupe, temporaryFolder } from '../boot/installation.ts'
import { writePlugin } from '../isolation/plugins.ts'
import { archiveOf, type Entry, packageArchive, startRegistry } from './archives.ts'

const AGENT = `
import { defineAgent } from '@troupe/sdk'
import { z } from 'zod'
export default defineAgent({
  name: 'counter', version: '1.0.0', description: 'Counts',
  input: z.object({ text: z.string() }), output: z.number(),
  run: async (ctx) => ctx.input.text.length,
})
`
const manifestOf = (more: object = {}) => ({
  name: 'counter',
  version: '1.0.0',
  type: 'module',
  keywords: ['troupe-agent'],
  troupe: { agents: ['./index.js'] },
  ...more,
})

const place = temporaryFolder()
const environment = { npm_config_cache: join(place, 'npm-cache'), npm_config_update_notifier: 'false' }
let count = 0

function fresh(): { data: string; marker: string; save(archive: Buffer): string } {
  const folder = join(place, String(count++))
  mkdirSync(folder)
  return {
    data: join(folder, 'data'),
    marker: join(folder, 'marker'),
    save(archive) {
      const path = join(folder, 'counter-1.0.0.tgz')
      writeFileSync(path, archive)
      return path
    },
  }
}

const add = (data: string, source: string, ...more: string[]) =>
  runTroupe(['--json', '--data', data, 'plugin', 'add', source, ...more], { env: environment })
const left = (data: string) => (existsSync(join(data, 'plugins')) ? readdirSync(join(data, 'plugins')) : [])

describe('troupe plugin add of an archive', () => {
  test('runs no script of it or of what it depends on, and links no program', async () => {
    const { data, marker, save } = fresh()
    const scripts = Object.fromEntries(
      ['preinstall', 'install', 'postinstall', 'prepare', 'prepack', 'postpack'].map((name) => [
        name,
        `echo ${name} >> ${marker}`,
      ]),
    )
    const bin = { node: './index.js', npm: './index.js' }
    const dependency = { scripts, bin }
    const archive = packageArchive({ name: 'helper', version: '1.0.0', ...dependency }, { 'index.js': '' })
    const registry = await startRegistry({ helper: { manifest: dependency, archive } })
    const manifest = manifestOf({ scripts, bin, dependencies: { helper: '1.0.0' } })
    const { code, out, err } = await runTroupe(
      ['--json', '--data', data, 'plugin', 'add', save(packageArchive(manifest, { 'index.js': AGENT }))],
      { env: { ...environment, npm_config_registry: registry.url } },
    )
    registry.stop()
    assert.equal(code, 0, err)
    const { folder, trusted } = JSON.parse(out)
    assert.equal(trusted, false)
    assert.ok(existsSync(join(folder, '..', 'node_modules', 'helper', 'package.json')))
    assert.ok(!existsSync(join(folder, '..', 'node_modules', '.bin')))
    assert.ok(!existsSync(marker), existsSync(marker) ? readFileSync(marker, 'utf8') : '')
  })

  test('takes a scoped package from a registry by its name', async () => {
    const { data } = fresh()
    const manifest = manifestOf({ name: '@acme/counter' })
    const archive = packageArchive(manifest, { 'index.js': AGENT })
    const registry = await startRegistry({ '@acme/counter': { manifest, archive } })
    const { code, out, err } = await runTroupe(['--json', '--data', data, 'plugin', 'add', '@acme/counter@1.0.0'], {
      env: { ...environment, npm_config_registry: registry.url },
    })
    registry.stop()
    assert.equal(code, 0, err)
    assert.equal(JSON.parse(out).name, '@acme/counter')
  })

  test('takes what `troupe plugin new` makes, packed as it is: its TypeScript, and what it depends on', async () => {
    const { data, save } = fresh()
    const archive = packageArchive({ name: 'helper', version: '1.0.0' }, { 'index.js': 'module.exports = 3' })
    const registry = await startRegistry({ helper: { manifest: {}, archive } })
    const manifest = manifestOf({ troupe: { agents: ['./index.ts'] }, dependencies: { helper: '1.0.0' } })
    const typed = `import three from 'helper'\nconst more: number = three\n${AGENT.replace('.length', '.length + more')}`
    const { code, out, err } = await runTroupe(
      ['--json', '--data', data, 'plugin', 'add', save(packageArchive(manifest, { 'index.ts': typed }))],
      { env: { ...environment, npm_config_registry: registry.url } },
    )
    registry.stop()
    assert.equal(code, 0, err)
    assert.deepEqual(
      JSON.parse(out).agents.map((agent: { name: string }) => agent.name),
      ['counter'],
    )
  })

  const good = { name: 'package/package.json', content: JSON.stringify(manifestOf()) }
  const code = { name: 'package/index.js', content: AGENT }
  const hostile: [what: string, entries: Entry[], why: RegExp][] = [
    ['a name that climbs', [{ name: 'package/../../../escaped', content: 'x' }], /has the name package\/\.\./],
    ['an absolute name', [{ name: '/tmp/escaped-by-troupe-test', content: 'x' }], /has the name \/tmp/],
    [
      'a climbing name in an extended header',
      [
        { name: 'x', type: 'x', content: '27 path=package/../escaped\n' },
        { name: 'package/fine', content: 'x' },
      ],
      /has the name package\/\.\.\/escaped/,
    ],
    ['a symbolic link', [{ name: 'package/link', type: '2', linkTo: '/etc/passwd' }], /has a link \(package\/link\)/],
    ['a hard link', [{ name: 'package/link', type: '1', linkTo: '/etc/passwd' }], /has a link/],
    ['a device', [{ name: 'package/null', type: '3' }], /has a device/],
    ['more entries than a package has', entriesOf(50_001), /more than 50000 entries/],
    ['a bomb', [{ name: 'package/zeros', content: Buffer.alloc(520 * 1024 * 1024) }], /becomes more than \d+ bytes/],
  ]
  for (const [what, entries, why] of hostile) {
    test(`refuses one with ${what}, and leaves nothing behind`, async () => {
      const { data, save } = fresh()
      const { code: exit, err } = await add(data, save(archiveOf([good, code, ...entries])))
      assert.equal(exit, 2, err)
      assert.match(err, /plugin_invalid/)
      assert.match(err, why)
      assert.deepEqual(left(data), [])
      assert.ok(!existsSync(join(data, '..', 'escaped')) && !existsSync('/tmp/escaped-by-troupe-test'))
    })
  }

  test('says that nothing is there, without asking npm, when it is given a path', async () => {
    const { data } = fresh()
    for (const path of ['/none', './none', 'none.tgz']) {
      const { code, err } = await runTroupe(['--data', data, 'plugin', 'add', path], { env: environment })
      assert.equal(code, 2)
      assert.match(err, /^invalid_command: There is nothing at \/.*none.*A plug-in is a folder, a \.tgz, or a name/)
    }
    const checked = await runTroupe(['--data', data, 'plugin', 'check', '/none'])
    assert.match(checked.err, /^invalid_command: There is no folder \/none\./)
    assert.deepEqual(left(data), [])
  })

  test('refuses what is no archive', async () => {
    const { data, save } = fresh()
    const { code: exit, err } = await add(data, save(Buffer.from('no archive')))
    assert.equal(exit, 2, err)
    assert.match(err, /plugin_invalid/)
    assert.deepEqual(left(data), [])
  })

  test('that calls itself like one that is trusted changes nothing of it when it is refused', async () => {
    const { data, save } = fresh()
    const first = await add(data, save(packageArchive(manifestOf(), { 'index.js': AGENT })), '--trust')
    assert.equal(first.code, 0, first.err)
    const { folder } = JSON.parse(first.out)
    const evil = packageArchive(manifestOf(), { 'index.js': 'throw new Error("evil")' })
    const { code: exit } = await add(data, save(evil))
    assert.equal(exit, 2)
    assert.equal(readFileSync(join(folder, 'index.js'), 'utf8'), AGENT)
    const { plugins } = JSON.parse(readFileSync(join(data, 'plugins.json'), 'utf8'))
    assert.deepEqual(
      plugins.map((plugin: { folder: string; trusted: boolean }) => [plugin.folder, plugin.trusted]),
      [[folder, true]],
    )
    assert.equal(left(data).length, 1)
  })
})

function entriesOf(number: number): Entry[] {
  return Array.from({ length: number }, (_, index) => ({ name: `package/${index}` }))
}

describe('troupe plugin check', () => {
  test('gives the code of the package no right of the person who types it', async () => {
    const { data, marker } = fresh()
    let heard = 0
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    server.on('connection', () => {
      heard += 1
    })
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const attempts = `
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
const said: string[] = []
const attempt = (what: string, act: () => unknown) => {
  try { act(); said.push(what + ' done') } catch (error: any) { said.push(what + ' ' + error.code) }
}
attempt('read', () => readFileSync('/etc/passwd'))
attempt('write', () => writeFileSync(${JSON.stringify(marker)}, 'x'))
attempt('run', () => execFileSync('/bin/sh', ['-c', 'echo x > ' + ${JSON.stringify(marker)}]))
attempt('kill', () => process.kill(process.ppid, 0))
attempt('connect', () => connect(${port}, '127.0.0.1').on('error', () => {}))
attempt('key', () => { if (process.env.TROUPE_API_KEY === undefined) throw { code: 'absent' } })
export default agent('nosy', async () => said)
throw new Error(said.join(', '))
`
    const folder = writePlugin(place, 'nosy', attempts)
    const { code, err } = await runTroupe(['--data', data, 'plugin', 'check', folder], {
      env: { TROUPE_API_KEY: 'trp_secret' },
    })
    server.close()
    assert.equal(code, 2, err)
    for (const what of ['read', 'write', 'run', 'kill', 'connect']) {
      assert.match(err, new RegExp(`${what} ERR_ACCESS_DENIED`), err)
    }
    assert.match(err, /key absent/)
    assert.equal(heard, 0)
    assert.ok(!existsSync(marker))
  })

  test('with --trust its code runs here', async () => {
    const folder = writePlugin(
      place,
      'needy',
      "import { readFileSync } from 'node:fs'\nreadFileSync('/etc/passwd')\nexport default agent('needy', () => 1)",
    )
    assert.equal((await runTroupe(['plugin', 'check', folder])).code, 2)
    assert.equal((await runTroupe(['plugin', 'check', folder, '--trust'])).code, 0)
  })
})
