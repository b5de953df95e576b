// Models whose inputs or answers no longer look like those of training: the worker knows, and has no bus. So a gateway
// asks it now and then, and tells each shift once, until it has passed.
import { TroupeError } from '../contract/errors.ts'
import type { ModelState } from '../workers/inference/client-control.ts'

/** A window of a thousand samples is judged at a time: to look more often would find nothing more. */
const LOOK_MS = 30_000

/** Returns how to stop. A worker that does not answer is told of by others. */
export function watchModels(
  models: () => Promise<Pick<ModelState, 'name' | 'version' | 'state' | 'reason'>[]>,
  onTrouble: (what: string, error: unknown) => void,
  everyMs = LOOK_MS,
): () => void {
  const told = new Set<string>()
  let stopped = false

  async function look(): Promise<void> {
    const all = await models().catch(() => undefined)
    if (all === undefined || stopped) return
    const moved = new Map(
      all
        .filter(({ state, reason }) => state === 'READY' && reason !== '')
        .map(({ name, version, reason }) => [`the model ${name} ${version}`, reason]),
    )
    for (const what of told) if (!moved.has(what)) told.delete(what)
    for (const [what, reason] of moved) {
      if (told.has(what)) continue
      told.add(what)
      onTrouble(what, new TroupeError('model_drifted', reason))
    }
  }

  let timer: NodeJS.Timeout
  const again = () => {
    timer = setTimeout(() => void look().finally(() => stopped || again()), everyMs)
    timer.unref()
  }
  again()
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
