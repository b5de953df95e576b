// What `troupe plugin add` refuses, and how it says why: what the author can act on, never that Troupe has a defect.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runTroupe, temporaryFolder } from '../boot/installation.ts'
import { writePlugin } from './plugins.ts'

describe('a package that cannot be taken is refused before it is added', () => {
  const packages = temporaryFolder()
  const data = temporaryFolder()

  async function refusedWith(folder: string, why: RegExp): Promise<void> {
    const { code, err } = await runTroupe(['--data', data, 'plugin', 'add', folder])
    assert.equal(code, 2, err)
    assert.match(err, why)
    assert.ok(!existsSync(join(data, 'plugins.json')))
  }

  test('it throws when it is loaded, and the line is named', () =>
    refusedWith(
      writePlugin(packages, 'throws', `throw new Error('no')`),
      /plugin_invalid: .*throws\/index\.ts:\d+: no\./,
    ))
  test('it is no TypeScript that Node runs', () =>
    refusedWith(
      writePlugin(packages, 'enums', 'enum A { b }'),
      /plugin_invalid: .*enums\/index\.ts:\d+: TypeScript enum/,
    ))
  test('it imports what is not there', () =>
    refusedWith(writePlugin(packages, 'lacks', `import 'zood'`), /plugin_invalid: .*Cannot find package 'zood'/))
  test('its agent is wrong, and its author is told, not that Troupe has a defect', () =>
    refusedWith(
      writePlugin(packages, 'odd', `export default agent('My Agent', () => 1)`),
      /^plugin_invalid: odd cannot be loaded\. The agent My Agent (?!.*defect of Troupe)/,
    ))
  test('it ends the process when it is loaded', () =>
    refusedWith(writePlugin(packages, 'leaves', 'process.exit(0)'), /plugin_invalid/))
  test('it exports no agent', () =>
    refusedWith(writePlugin(packages, 'empty', 'export default 1'), /plugin_invalid: .*defineAgent/))
  test('it asks for another SDK', () => {
    const manifest = { peerDependencies: { '@troupe/sdk': '^9.0.0' } }
    return refusedWith(writePlugin(packages, 'newer', 'export default []', manifest), /plugin_invalid: .*\^9\.0\.0/)
  })
  test('it asks for another Node', () =>
    refusedWith(
      writePlugin(packages, 'older', 'export default []', { engines: { node: '<18' } }),
      /plugin_invalid: .*Node <18/,
    ))
  test('its permissions are of wrong types, or unknown', () => {
    const permissions = { network: 'everything', root: true }
    const folder = writePlugin(packages, 'greedy', 'export default []', { troupe: { permissions } })
    return refusedWith(folder, /plugin_invalid: [\s\S]*"root"[\s\S]*permissions.network/)
  })
})
