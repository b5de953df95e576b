// Forgets tasks that ended long ago, with all that belongs to them: a little each minute, so that a backlog never
// becomes one long delete. Safe on many hosts: the journal passes over what another one is deleting.
import type { Journal } from '../journal/journal.ts'

const LOOK_MS = 60_000
const BATCH = 1_000

export function keepForgetting(parts: {
  journal: Journal
  retentionMs: number
  onTrouble(what: string, error: unknown): void
  lookMs?: number
}): () => void {
  const { journal, retentionMs, onTrouble, lookMs = LOOK_MS } = parts
  let busy = false
  const timer = setInterval(async () => {
    if (busy) return
    busy = true
    try {
      await journal.purge((await journal.now()) - retentionMs, BATCH)
    } catch (error) {
      onTrouble('forgetting old tasks', error)
    } finally {
      busy = false
    }
  }, lookMs)
  return () => clearInterval(timer)
}
