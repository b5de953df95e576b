// The kernel’s bar: for a machine with parallel states, a retry, a timer, a child and a human input, the process is
// really killed (SIGKILL) at each commit, before and after it, and started again. Same outcome, each step’s effect of
// one key the same, no gap in the log.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

interface Life {
  task: { id: string; state: string; output: unknown }
  commits: number
  numbers: number[]
}

const script = join(import.meta.dirname, 'one-life.ts')

function live(folder: string, dieAt: number, when: 'before' | 'after'): { killed: boolean; life: Life | undefined } {
  const { signal, stdout, stderr } = spawnSync(process.execPath, [script, folder, String(dieAt), when], {
    timeout: 180_000,
  })
  if (signal !== null) return { killed: signal === 'SIGKILL', life: undefined }
  const text = stdout.toString()
  assert.notEqual(text, '', stderr.toString())
  return { killed: false, life: JSON.parse(text) as Life }
}

function withFolder<Result>(use: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-kill-'))
  try {
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const peace = withFolder((folder) => live(folder, 0, 'after').life!)

test('in peace it takes at least eight commits and ends well', () => {
  assert.equal(peace.task.state, 'completed')
  assert.ok(peace.commits >= 8, `${peace.commits} commits`)
})

for (const when of ['before', 'after'] as const) {
  test(`killed ${when} each commit in turn, the outcome is the same`, () => {
    for (let commit = 1; commit <= peace.commits; commit++) {
      withFolder((folder) => {
        const first = live(folder, commit, when)
        assert.ok(first.killed || first.life !== undefined, `life 1, commit ${commit}`)
        const { life } = first.killed ? live(folder, 0, 'after') : first
        assert.equal(life!.task.state, 'completed', `killed ${when} commit ${commit}`)
        assert.deepEqual(life!.task.output, peace.task.output)
        assert.deepEqual(
          life!.numbers,
          life!.numbers.map((_, index) => index + 1),
        )
        checkEffects(join(folder, 'effects.log'), life!.task.id)
      })
    }
  })
}

/** P3: an effect may be tried again, always under its own key; no step ever acts under two keys. */
function checkEffects(file: string, taskId: string): void {
  const effects = existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { key: string; step: string; process: number })
    : []
  assert.deepEqual(new Set(effects.map(({ key }) => key)), new Set([`${taskId}/fetch`, `${taskId}/publish`]))
  // In one life `publish` acts once; `fetch` twice, because its first try fails by design.
  for (const pid of new Set(effects.map((effect) => effect.process))) {
    const of = (step: string) => effects.filter((effect) => effect.process === pid && effect.step === step).length
    assert.ok(of('publish') <= 1 && of('fetch') <= 2, JSON.stringify(effects))
  }
}
