// The worker's process is killed in the middle of an ingest.
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRetrievalClient, type UpsertDocument } from '../../../src/workers/retrieval/index.ts'

const acme = { tenant: 'acme' }

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

async function start(port: number, folder: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, '../../../src/boot/retrieval.ts'), {
    env: { ...process.env, TROUPE_RETRIEVAL_ADDRESS: `127.0.0.1:${port}`, TROUPE_DATA: folder },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [message] = await once(child, 'message')
  assert.equal((message as { ready: boolean }).ready, true)
  return child
}

test('a worker killed in mid-ingest and started again ends with every document, none twice', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-retrieval-'))
  const port = await freePort()
  const count = 1_000
  let child = await start(port, folder)
  t.after(async () => {
    child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  const client = createRetrievalClient({ address: `127.0.0.1:${port}` })
  async function* documents(): AsyncGenerator<UpsertDocument> {
    for (let number = 0; number < count; number++) {
      if (number === 600) {
        child.kill('SIGKILL')
        await once(child, 'exit')
        child = await start(port, folder)
      }
      yield { documentId: `d${number}`, text: `Document number${number} about something.` }
    }
  }
  const { stored, replaced, unchanged } = await client.upsert('c', documents(), acme)
  assert.equal(stored + unchanged, count)
  assert.equal(replaced, 0)
  const info = await client.collection('c', acme)
  assert.deepEqual([info.documents, info.passages], [count, count])
  for (const number of [0, 343, 344, 599, 600, 999]) {
    const { passages } = await client.search('c', `number${number}`, { ...acme, mode: 'lexical' })
    assert.deepEqual(
      passages.map(({ documentId }) => documentId),
      [`d${number}`],
    )
  }
  client.close()
  child.kill('SIGTERM')
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, null, 'it drains and ends by itself')
})
