import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openPostgresStore } from '../../../src/workers/retrieval/postgres/index.ts'
import { eventually } from '../../support/eventually.ts'
import { proxied } from '../../support/tcp-proxy.ts'
import { startPglite } from './pglite.ts'
import { storeContract } from './store-contract.ts'

storeContract('postgres', async () => {
  const server = await startPglite()
  return { store: await openPostgresStore({ url: server.url, connections: 1 }), stop: () => server.stop() }
})

it('a database that does not answer is worker_unavailable', async () => {
  const url = 'postgres://nobody:nothing@127.0.0.1:1/none'
  await assert.rejects(openPostgresStore({ url }), { code: 'worker_unavailable', message: /ECONNREFUSED/ })
})

it('a question whose answer the network keeps is given up, and its connection is not lost for it', async (t) => {
  const server = await startPglite()
  t.after(() => server.stop())
  const { proxy, url } = await proxied(t, server.url)
  const patience = { readMs: 2_000, writeMs: 60_000 }
  const store = await openPostgresStore({ url, connections: 1, patience })
  t.after(() => store.close())
  proxy.partition()
  await assert.rejects(store.list('acme'), { code: 'worker_unavailable' })
  proxy.heal()
  await eventually('an answer', () =>
    store.list('acme').then(
      (found) => found.length === 0,
      () => false,
    ),
  )
})
