import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { limit } from '../../src/actor/step-limits.ts'

test('each is stopped when its own time is over, in whatever order they began; one that ended is not', async () => {
  const began = performance.now()
  const stopped: { ms: number; early: boolean }[] = []
  const stopAfter = (ms: number, then?: () => void) =>
    limit(ms, () => {
      stopped.push({ ms, early: performance.now() - began < ms })
      then?.()
    })
  await new Promise<void>((resolve) => {
    stopAfter(60)
    stopAfter(120, resolve)
    const ended = stopAfter(30)
    stopAfter(1e12)()
    stopAfter(40)
    ended()
  })
  assert.deepEqual(
    stopped,
    [40, 60, 120].map((ms) => ({ ms, early: false })),
  )
})

test('one that begins when another is stopped has its whole time', async () => {
  const began = performance.now()
  await new Promise<void>((resolve) => limit(20, () => limit(30, resolve)))
  assert.ok(performance.now() - began >= 50)
})

test('when all have ended, the process may', async () => {
  const source = new URL('../../src/actor/step-limits.ts', import.meta.url).href
  const script = `import { limit } from ${JSON.stringify(source)}; limit(600_000, () => {})()`
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 60_000 })
})
