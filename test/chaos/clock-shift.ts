// The wall clock of one host is set wrong while it works. That it was truly wrong is seen in what the host writes with
// its effects; that leases do not go by it, in the database: the host holds the same one throughout.
import { setTimeout as wait } from 'node:timers/promises'
import { readEffects } from './checker.ts'
import type { Cluster } from './cluster.ts'
import type { Stage } from './scenarios.ts'

const HOUR_MS = 3_600_000
const TOLERANCE_MS = HOUR_MS / 2
const LOOK_MS = 50
/** At the pace of a busy machine other hosts have room for all there is to do. */
const PATIENCE_MS = 60_000

export async function shiftClock({ cluster, random, length }: Stage): Promise<void> {
  const host = cluster.hosts[Math.floor(random() * cluster.hosts.length)]!
  const before = await holding(cluster, host.name)
  await wait(length / 5)
  // What SIGUSR2 sets, one after the other (clock.mjs).
  for (const shift of [HOUR_MS, 0, -HOUR_MS, 0]) {
    const alreadyThere = ofProcess(cluster, host.pid()).length
    host.kill('SIGUSR2')
    await seen(`an effect of ${host.name} ${shift / HOUR_MS} h off`, () =>
      ofProcess(cluster, host.pid())
        .slice(alreadyThere)
        .some(({ at }) => Math.abs(at - Date.now() - shift) < TOLERANCE_MS),
    )
    await wait(length / 5)
    const now = await holding(cluster, host.name)
    if (now !== before) throw new Error(`${host.name} held ${before} and, its clock ${shift} ms off, holds ${now}.`)
  }
}

/** The id under which the host holds a lease, by the clock of the database. */
async function holding(cluster: Cluster, label: string): Promise<string> {
  const found = (await cluster.journal.hosts()).find(({ alive, info }) => alive && info.label === label)
  if (found === undefined) throw new Error(`${label} holds no lease.`)
  return found.hostId
}

/** A file a process, read in no order that time has: only what one process wrote is in order. */
const ofProcess = (cluster: Cluster, pid: number | undefined) =>
  readEffects(cluster.folder).filter((effect) => effect.process === pid)

async function seen(what: string, isThere: () => boolean): Promise<void> {
  const since = performance.now()
  while (!isThere()) {
    if (performance.now() - since > PATIENCE_MS) throw new Error(`Within ${PATIENCE_MS} ms there was not ${what}.`)
    await wait(LOOK_MS)
  }
}
