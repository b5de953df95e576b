// How long a worker that was killed is missed: from the kill until its supervisor has it ready again, under `troupe up`.
import { setTimeout as wait } from 'node:timers/promises'
import { type Installation, startInstallation } from '../test/boot/installation.ts'

const WORKERS = ['inference', 'retrieval']
/** Longer than the time after which the supervisor forgives a restart: a second one at once would wait. */
const REST_MS = 6_000

/** In milliseconds, in any order. */
export async function workersServingAgain(kills: number): Promise<number[]> {
  const troupe = await startInstallation()
  try {
    const serving: number[] = []
    for (let kill = 0; kill < kills; kill++) {
      for (const worker of WORKERS) serving.push(await killWorker(troupe, worker))
      await wait(REST_MS)
    }
    return serving
  } finally {
    await troupe.stop()
  }
}

async function killWorker(troupe: Installation, worker: string): Promise<number> {
  const { facts } = await troupe.child(worker)
  const killedAt = performance.now()
  process.kill(facts.pid, 'SIGKILL')
  for (;;) {
    const now = await troupe.child(worker)
    if (now.state === 'running' && now.facts.pid !== facts.pid) return performance.now() - killedAt
    await wait(5)
  }
}
