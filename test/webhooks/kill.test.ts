// At least once, whoever dies when: the process is really killed (SIGKILL) at each commit, before and after it, from the
// task's first to the delivery's last, and started again.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startReceiver } from './receiver.ts'

interface Life {
  deliveries: number
  state: string
  commits: number
}

const script = join(import.meta.dirname, 'one-life.ts')

/** Undefined: it was killed. */
function live(folder: string, receiver: string, dieAt = 0, when = 'after'): Promise<Life | undefined> {
  return new Promise((resolve, reject) => {
    const args = [script, folder, receiver, String(dieAt), when]
    execFile(process.execPath, args, { timeout: 180_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as Life)
      else if (error.signal === 'SIGKILL') resolve(undefined)
      else reject(new Error(stderr))
    })
  })
}

async function delivered(dieAt: number, when: string): Promise<{ commits: number; messages: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-webhook-'))
  await using receiver = await startReceiver()
  try {
    const first = await live(folder, receiver.url, dieAt, when)
    const life = first ?? (await live(folder, receiver.url))!
    const about = `killed ${when} commit ${dieAt}: ${JSON.stringify(life)}`
    assert.deepEqual([life.deliveries, life.state], [1, 'completed'], about)
    assert.ok(receiver.received.length >= 1, about)
    assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1, about)
    return { commits: life.commits, messages: receiver.received.length }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('in peace it is told once; killed at any commit it is told at least once, under one id', async () => {
  const peace = await delivered(0, 'after')
  assert.equal(peace.messages, 1)
  assert.ok(peace.commits >= 4, `${peace.commits} commits`)
  let twice = 0
  for (let commit = 1; commit <= peace.commits; commit++) {
    for (const { messages } of await Promise.all([delivered(commit, 'before'), delivered(commit, 'after')])) {
      if (messages > 1) twice += 1
    }
  }
  assert.ok(twice >= 1, 'killed between the call and its record it is told again')
})
