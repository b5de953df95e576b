// The gateway's store on each adapter: what the port asks of both, and what each may suffer.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { ensureAdminKey, openPostgresGatewayStore, openSqliteGatewayStore } from '../../src/gateway/index.ts'
import { eventually } from '../support/eventually.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { proxied } from '../support/tcp-proxy.ts'
import { draft, key, storeContract } from './support/store-contract.ts'

suite('sqlite', () => {
  let folder: string

  test('a damaged file is told by its code, at the start and by each verb', async (t) => {
    const own = await mkdtemp(join(tmpdir(), 'troupe-store-'))
    t.after(() => rm(own, { recursive: true, force: true }))
    const file = join(own, 'gateway.db')
    const store = openSqliteGatewayStore({ folder: own })
    await store.addKey(key('1', 'a'))
    await store.close()
    // All but the first page, which says where the tables are.
    const content = await readFile(file)
    await writeFile(file, content.fill('x', 4_096))
    const hurt = openSqliteGatewayStore({ folder: own })
    await assert.rejects(hurt.keys('a', { limit: 1 }), { code: 'journal_corrupt', message: /gateway\.db is damaged/ })
    await assert.rejects(hurt.appendAudit([draft('a', 'kept')], true), { code: 'journal_corrupt' })
    await hurt.close()
    await writeFile(file, 'no database')
    assert.throws(() => openSqliteGatewayStore({ folder: own }), { code: 'journal_corrupt' })
  })

  test('a file that lost all it held is refused and left as it is; without it the store begins anew', async (t) => {
    const own = await mkdtemp(join(tmpdir(), 'troupe-store-'))
    t.after(() => rm(own, { recursive: true, force: true }))
    const file = join(own, 'gateway.db')
    // As it is when the very first start dies in its first moment: nothing was lost.
    await writeFile(file, '')
    const store = openSqliteGatewayStore({ folder: own })
    await ensureAdminKey(own, store)
    await store.close()
    await openSqliteGatewayStore({ folder: own }).close()
    await writeFile(file, '')
    const lost = { code: 'journal_corrupt', message: /gateway\.db is empty.*Restore a backup, or remove the file/ }
    assert.throws(() => openSqliteGatewayStore({ folder: own }), lost)
    assert.equal((await stat(file)).size, 0)
    await rm(file)
    await openSqliteGatewayStore({ folder: own }).close()
  })

  storeContract(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-store-'))
    return openSqliteGatewayStore({ folder })
  })
  after(async () => await rm(folder, { recursive: true, force: true }))
})

suite('postgres', { skip: missing('postgres') }, () => {
  let server: TestServer
  storeContract(async () => {
    server = await startPostgres()
    // Two gateways that start at the same moment migrate once.
    const other = openPostgresGatewayStore({ url: server.url })
    const store = await openPostgresGatewayStore({ url: server.url })
    await (await other).close()
    return store
  })
  after(async () => await server.stop())

  test('a question whose answer the network keeps is given up, and the next one is answered', async (t) => {
    const { proxy, url } = await proxied(t, server.url)
    const store = await openPostgresGatewayStore({ url, patienceMs: 2_000 })
    t.after(() => store.close())
    proxy.partition()
    // Every gateway asks this each second, one after the other: one that waited for ever would be the last.
    await assert.rejects(store.dueSchedules(Date.now(), 10), { code: 'unavailable' })
    proxy.heal()
    await eventually('an answer', () =>
      store.dueSchedules(0, 10).then(
        () => true,
        () => false,
      ),
    )
  })
})
