// The volume of the data folder is full: the gateway takes itself out, `troupe doctor` says why, and it comes back by itself.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { type Installation, startInstallation, temporaryFolder } from './installation.ts'

test('a gateway whose journal finds no space is not ready, says so, and is ready again when there is some', async (t) => {
  const data = temporaryFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m,mode=0700', 'tmpfs', data], { stdio: 'ignore' })
  } catch {
    return t.skip('only root may mount a small disk')
  }
  let troupe: Installation | undefined
  t.after(async () => {
    await troupe?.stop()
    execFileSync('umount', ['-l', data])
  })
  troupe = await startInstallation({ data })
  const { url } = troupe
  const ready = async () => (await fetch(`${url}/readyz`)).ok
  assert.ok(await ready())

  const filling = join(data, 'filling')
  fill(filling)
  // Nobody asks for anything: the lease that is renewed each second finds it out.
  await eventually('it is not ready', async () => !(await ready()))
  assert.equal((await troupe.call('GET', '/readyz')).code, 'disk_full')
  const doctor = await troupe.troupe(['doctor', '--json'])
  assert.notEqual(doctor.code, 0)
  assert.match(doctor.out, /"found": "not ready at http.* disk_full: no space left .*",\n +"todo": "Free space/)
  assert.match(await (await fetch(`${url}/metrics`)).text(), /^troupe_journal_out_of_space 1$/m)

  rmSync(filling)
  await eventually('it is ready again', ready)
})

function fill(file: string): void {
  for (const bytes of [1_048_576, 4_096, 1]) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(bytes))
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
    }
  }
}
