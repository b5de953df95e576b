import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { defineAgent } from '../../src/sdk/index.ts'
import { openTestStage, TENANT } from '../actor/stage.ts'

const waiter = defineAgent({
  name: 'waiter',
  version: '1.0.0',
  description: 'Waits for two words',
  input: z.object({ text: z.string() }),
  output: z.number(),
  async run({ input, wait }) {
    await wait('first', 'go')
    await wait('second', 'go')
    return input.text.length
  },
})

test('a task that wakes without a large value of its own says so, and goes on when the value is back', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-lost-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const stage = await openTestStage(t, [waiter], await openSqliteJournal({ folder }))
  await stage.startHost()
  const { id } = await stage.submit('waiter', { text: 'x'.repeat(100_000) })
  await stage.until(id, ({ body }) => body.type === 'task.waiting')
  const values = join(folder, 'values')
  const name = readdirSync(values, { recursive: true, encoding: 'utf8' }).find((file) => file.length > 64)!
  renameSync(join(values, name), join(folder, 'aside'))
  await stage.desk.signal(TENANT, id, { type: 'go' })
  const { body } = await stage.until(
    id,
    (event) => event.body.type === 'task.waiting' && event.body.for.kind === 'host',
  )
  assert.match(JSON.stringify(body), /journal_corrupt: .* missing or damaged/)
  assert.match((await stage.desk.get(TENANT, id)).waitingFor?.detail ?? '', /journal_corrupt/)

  renameSync(join(folder, 'aside'), join(values, name))
  await stage.desk.signal(TENANT, id, { type: 'go' })
  assert.equal((await stage.end(id)).output, 100_000)
  assert.equal(stage.troubles.length, 1, stage.troubles.join())
})
