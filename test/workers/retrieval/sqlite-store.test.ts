import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { prepare } from '../../../src/workers/retrieval/prepare.ts'
import { openSqliteStore } from '../../../src/workers/retrieval/sqlite/index.ts'
import { storeContract } from './store-contract.ts'

storeContract('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-retrieval-'))
  return { store: await openSqliteStore(folder), stop: () => rm(folder, { recursive: true }) }
})

it('what was written is there after closing and opening again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-retrieval-'))
  const first = await openSqliteStore(folder)
  const { id } = await first.open('acme', 'kept', undefined)
  const draft = prepare({ id: 'a', text: 'kept for long', title: '', metadata: {} })
  await first.write(id, [draft], undefined, new Map())
  await first.close()
  const second = await openSqliteStore(folder)
  assert.equal((await second.lexical(id, ['kept'], 5, [])).length, 1)
  await second.close()
  await assert.rejects(second.find('acme', 'kept'), { code: 'draining' })
  await rm(folder, { recursive: true })
})

it('a folder that cannot be used is refused with the reason', async () => {
  await assert.rejects(openSqliteStore('/dev/null/nowhere'), { code: 'worker_unavailable', message: /ENOTDIR|EEXIST/ })
})
