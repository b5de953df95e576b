// A data folder that cannot be used, or goes away: said in words, and never served from what nobody can read again.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runTroupe, startInstallation, temporaryFolder } from './installation.ts'

test('a folder that is none, lies in none, or cannot be written is a wrong setting, not a defect', async () => {
  const place = temporaryFolder()
  const file = join(place, 'file')
  writeFileSync(file, '')
  const wrong = [file, join(file, 'below')]
  // Root may write everywhere.
  if (process.getuid?.() !== 0) {
    chmodSync(place, 0o500)
    wrong.push(place)
  }
  for (const folder of wrong) {
    const { code, err } = await runTroupe(['--data', folder, 'up', '--port', '0'])
    assert.equal(code, 2, err)
    assert.match(err, /configuration_invalid: .* cannot be the data folder: E[A-Z]+/)
  }
  chmodSync(place, 0o700)
  rmSync(place, { recursive: true })
})

test('an installation whose folder is removed stops instead of accepting what would be lost', async (t) => {
  const data = join(temporaryFolder(), 'data')
  const troupe = await startInstallation({ data })
  t.after(() => troupe.root.kill('SIGKILL'))
  // As good as removed, in one step: its processes may be writing to it.
  renameSync(data, `${data}-elsewhere`)
  await troupe.saying(/journal_corrupt.* was removed or replaced while Troupe ran/)
  assert.equal(troupe.root.exitCode ?? (await once(troupe.root, 'exit'))[0], 70)
  await assert.rejects(fetch(`${troupe.url}/healthz`))
})

test('a closed terminal stops it in good order', async () => {
  const troupe = await startInstallation()
  const gone = once(troupe.root, 'exit')
  troupe.root.kill('SIGHUP')
  assert.equal((await gone)[0], 0)
  await troupe.stop()
})
