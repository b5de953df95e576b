import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
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

it('a damaged file is told by its code, when it is opened and when what is damaged is read', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-retrieval-'))
  t.after(() => rm(folder, { recursive: true }))
  const whole = await openSqliteStore(folder)
  const { id } = await whole.open('acme', 'kept', undefined)
  await whole.close()
  const file = join(folder, 'retrieval.db')
  const content = await readFile(file)
  // All but the first page, which says where the tables are.
  await writeFile(file, content.fill('x', 4_096))
  const hurt = await openSqliteStore(folder)
  await assert.rejects(hurt.lexical(id, ['kept'], 5, []), { code: 'journal_corrupt', message: /retrieval\.db/ })
  await hurt.close()
  await writeFile(file, 'no database')
  await assert.rejects(openSqliteStore(folder), { code: 'journal_corrupt', message: /retrieval\.db/ })
})

it('a folder that cannot be used is refused with the reason', async () => {
  await assert.rejects(openSqliteStore('/dev/null/nowhere'), { code: 'worker_unavailable', message: /ENOTDIR|EEXIST/ })
})
