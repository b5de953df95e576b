// Ten thousand upserts with embeddings, the worker killed in the middle of them again and again. What is in the store
// afterwards is counted in its file, behind the worker's back.
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRetrievalClient, type UpsertDocument } from '../../../src/workers/retrieval/index.ts'
import { Database, lexicalTable, vectorTable } from '../../../src/workers/retrieval/sqlite/database.ts'
import { eventually } from '../../support/eventually.ts'
import { freePort } from '../../support/server-process.ts'

const ROOT = join(import.meta.dirname, '../../..')
const COUNT = 10_000
/** Where in the stream of documents the worker dies. */
const DEATHS = [1_500, 4_200, 4_300, 8_888]
const acme = { tenant: 'acme', deadline: Date.now() + 300_000 }

async function start(role: string, environment: Record<string, string>): Promise<ChildProcess & { at: number }> {
  const child = fork(join(ROOT, 'src/boot', `${role}.ts`), {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [message] = (await once(child, 'message')) as [{ port?: number; facts?: { port?: number } }]
  return Object.assign(child, { at: message.facts?.port ?? message.port ?? 0 })
}

test('10,000 upserts, the worker killed four times in the middle: nothing missing, nothing twice', {
  timeout: 300_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-killed-'))
  const inference = await start('inference', {
    TROUPE_MODELS: join(ROOT, 'models'),
    TROUPE_INFERENCE_ADDRESS: '127.0.0.1:0',
    TROUPE_INFERENCE_PROVIDERS: 'cpu',
  })
  const port = await freePort()
  const startRetrieval = () =>
    start('retrieval', {
      TROUPE_RETRIEVAL_ADDRESS: `127.0.0.1:${port}`,
      TROUPE_INFERENCE_URL: `127.0.0.1:${inference.at}`,
      TROUPE_DATA: folder,
    })
  let worker = await startRetrieval()
  const client = createRetrievalClient({ address: `127.0.0.1:${port}` })
  t.after(() => {
    client.close()
    worker.kill('SIGKILL')
    inference.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  async function* documents(deaths = DEATHS): AsyncGenerator<UpsertDocument> {
    for (let number = 0; number < COUNT; number++) {
      if (deaths.includes(number)) {
        worker.kill('SIGKILL')
        await once(worker, 'exit')
        worker = await startRetrieval()
      }
      yield { documentId: `d${number}`, text: `Document number${number} tells of something.`, metadata: { number } }
    }
  }
  const { stored, replaced, unchanged } = await client.upsert('c', documents(), acme)
  assert.deepEqual([stored + unchanged, replaced], [COUNT, 0])
  // A batch in flight at a death may lack its vectors: they are filled in.
  await eventually('every passage has its vector', async () => (await client.collection('c', acme)).embedded === COUNT)
  const again = await client.upsert('c', documents([]), acme)
  assert.deepEqual([again.stored, again.replaced, again.unchanged], [0, 0, COUNT])
  client.close()
  worker.kill('SIGTERM')
  await once(worker, 'exit')

  const file = new Database(join(folder, 'retrieval', 'retrieval.db'), false)
  const one = (sql: string) => Number(Object.values(file.get(sql)!)[0])
  const { id, serving, documents: counted, passages } = file.get('SELECT * FROM collections')!
  assert.deepEqual([counted, passages], [COUNT, COUNT])
  assert.equal(one('SELECT count(DISTINCT name) FROM documents'), COUNT)
  assert.equal(one('SELECT count(*) FROM documents'), COUNT)
  assert.equal(one('SELECT count(DISTINCT document) FROM passages'), COUNT)
  assert.equal(one('SELECT count(*) FROM passages'), COUNT)
  assert.equal(one(`SELECT count(*) FROM ${lexicalTable(Number(id))}`), COUNT)
  assert.equal(one(`SELECT count(*) FROM ${vectorTable(Number(serving))}`), COUNT)
  assert.equal(one('SELECT count(*) FROM embedded'), COUNT)
  assert.equal(one('SELECT embedded FROM generations'), COUNT)
  file.close()
})
