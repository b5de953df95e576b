// The threads that read documents belong to the process of a host, and end with it.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { hostOf, openParts } from '../../src/boot/parts.ts'
import { readSettings } from '../../src/boot/settings.ts'
import { createDesk } from '../../src/desk/desk.ts'
import { documentPool } from '../../tools/document-pool.ts'

const threads = () => (process.report.getReport() as unknown as { workers: unknown[] }).workers.length

test('a host that shuts down ends the threads that read its documents, and a later use starts anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-threads-'))
  const before = threads()
  try {
    const parts = await openParts(readSettings({ TROUPE_DATA: folder, TROUPE_LOG: 'silent' }), 'test')
    const host = hostOf(parts, 'test')
    await host.start()
    const desk = createDesk({ journal: parts.stores.journal, bus: parts.stores.bus, agents: parts.agents })
    const input = { document: { text: 'Ada Lovelace lived in London and wrote about the engine of Charles Babbage.' } }
    const { task } = await desk.submit({ tenant: 'test', agent: 'document-analyzer', input })
    for await (const _ of desk.follow('test', task.id, 0, AbortSignal.timeout(60_000))) {
      // The log ends with the task.
    }
    assert.equal((await desk.get('test', task.id)).state, 'completed')
    assert.ok(threads() > before, 'the document was read in a thread')
    await host.drain(5_000)
    await parts.close()
    assert.equal(threads(), before)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('a document under way when the threads close fails as cancelled instead of hanging', async () => {
  const { closeDocumentPools } = await import('../../tools/document-pool.ts')
  const before = threads()
  const text = 'The quick brown fox. '.repeat(200_000)
  const reading = documentPool('read').run(
    'recognise-entities',
    { text },
    { signal: AbortSignal.timeout(60_000), time: 60_000 },
  )
  const ended = assert.rejects(reading, { code: 'cancelled' })
  await closeDocumentPools()
  await ended
  assert.equal(threads(), before)
})
