import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createInProcessBus } from '../../src/bus/in-process.ts'
import { createAccept } from '../../src/desk/accepting.ts'
import { createPatience } from '../../src/desk/patience.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { makeTask } from '../journal/contract/make.ts'

test('who comes while others have waited too long is refused at once, until they are answered', async () => {
  let now = 0
  const patience = createPatience(1_500, () => now)
  const first = await patience.enter()
  now = 1_500
  const second = await patience.enter()
  now = 1_501
  await assert.rejects(async () => patience.enter(), { code: 'journal_unavailable', status: 503, passing: true })
  patience.leave(second)
  await assert.rejects(async () => patience.enter(), { code: 'journal_unavailable' })
  patience.leave(first)
  patience.leave(await patience.enter())
})

test('a process that stood still reads the answer that has arrived before it refuses anybody', async (t) => {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const journal = once(server, 'connection')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  const [answering] = (await journal) as [Socket]
  t.after(() => {
    socket.destroy()
    server.close()
  })
  let now = 0
  const patience = createPatience(1_500, () => now)
  const earlier = await patience.enter()
  socket.once('data', () => patience.leave(earlier))
  answering.write('accepted')
  now = 2_000
  patience.leave(await patience.enter())
})

test('an acceptance that fails frees its place as one that is answered does', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-patience-'))
  const journal = await openSqliteJournal({ folder })
  t.after(async () => {
    await journal.close()
    rmSync(folder, { recursive: true })
  })
  let now = 0
  const parts = { bus: createInProcessBus(), patience: createPatience(1_500, () => now) }
  const draft = () => ({ task: makeTask(), small: true })
  const away = createAccept({ ...parts, journal: { ...journal, accept: () => Promise.reject(new Error('away')) } })
  await assert.rejects(
    away(draft(), undefined, () => {}),
    /away/,
  )
  now = 60_000
  const accept = createAccept({ ...parts, journal })
  assert.equal((await accept(draft(), undefined, () => {})).created, true)
})
