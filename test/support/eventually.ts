// For what another process does and tells nobody: it is asked again and again, and not for ever.
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'

const AGAIN_MS = 100

export async function eventually(what: string, isSo: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  for (const until = performance.now() + ms; !(await isSo()); await wait(AGAIN_MS)) {
    assert.ok(performance.now() < until, `not within ${ms} ms: ${what}`)
  }
}
