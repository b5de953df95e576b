import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const TASKS = 12_000
/** Bytes. Whatever holds ended actors until the next full collection makes it 2,000 and more; without, 350 were measured. */
const MOST_PROMOTED = 1_000

test('what an ended task leaves behind dies young', () => {
  const script = join(import.meta.dirname, 'many-tasks.ts')
  const trace = execFileSync(process.execPath, ['--trace-gc-nvp', script, String(TASKS)], {
    encoding: 'utf8',
    timeout: 180_000,
    maxBuffer: 64 * 1024 * 1024,
  })
  const afterwards = trace.slice(trace.indexOf('warm\n'))
  const promoted = [...afterwards.matchAll(/ promoted=(\d+)/g)].map(([, bytes]) => Number(bytes))
  assert.ok(promoted.length > 0, 'V8 tells its collections')
  const each = promoted.reduce((sum, bytes) => sum + bytes, 0) / ((TASKS * 3) / 4)
  assert.ok(each < MOST_PROMOTED, `${Math.round(each)} bytes were promoted for each task`)
})
