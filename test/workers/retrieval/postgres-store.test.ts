import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openPostgresStore } from '../../../src/workers/retrieval/postgres/index.ts'
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
