// Counts at the journal's port what the commits of actors do not show: submissions, mail, the lease, what was found
// without an owner. The journal itself knows nothing of it.
import { TroupeError } from '../contract/errors.ts'
import { LEASE_MS } from '../contract/limits.ts'
import type { Journal, PoisonedTask } from '../journal/journal.ts'
import type { Labels } from '../workers/grpc/metrics.ts'
import type { Measures } from './measures.ts'

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

export interface MeasuredJournal {
  journal: Journal
  /** A host that holds none may claim nothing. */
  holdsLease(): boolean
  /** What the journal said when it refused a write for want of space; a while after the last one it may be tried again. */
  outOfSpace(): TroupeError | undefined
}

/**
 * No write is made to find out: whoever gets no work because of it would never see one succeed. Longer than the renewals
 * of a lease are apart, which go on meanwhile.
 */
const OUT_OF_SPACE_MS = 5_000

export function measureJournal(
  { metrics, atScrape }: Measures,
  journal: Journal,
  onPoisoned: (task: PoisonedTask) => void,
): MeasuredJournal {
  const submitted = metrics.counter('troupe_tasks_submitted_total', 'Tasks accepted, from outside or asked by an agent')
  const accepted = metrics.histogram('troupe_journal_accept_seconds', 'Time until a task is durable', SECONDS)
  const mail = metrics.counter('troupe_mail_delivered_total', 'Messages for mailboxes, by what became of them')
  const found = metrics.counter('troupe_orphans_found_total', 'Tasks that had no owner and were offered again')
  const poisoned = metrics.counter('troupe_tasks_poisoned_total', 'Tasks failed because hosts died while they ran them')
  const renewal = metrics.histogram('troupe_lease_renewal_seconds', 'Time of renewing the lease', SECONDS)
  const lost = metrics.counter('troupe_leases_lost_total', 'Leases that had ended when they were to be renewed')
  const left = metrics.gauge('troupe_lease_remaining_seconds', 'Until the lease ends unless it is renewed')
  const actors = metrics.gauge('troupe_host_actors', 'Actors in memory')
  const resting = metrics.gauge('troupe_agent_resting', '1 while an agent rests because its tasks crash')
  const full = metrics.gauge('troupe_journal_out_of_space', '1 while the journal refuses writes for want of space')
  const none = {}
  let refusal: { error: TroupeError; at: number } | undefined
  /** The text of the same labels is made once. As many as there are agents. */
  const fromDoor = new Map<string, Labels>()
  let renewedAt: number | undefined
  const remainingMs = () => (renewedAt === undefined ? 0 : renewedAt + LEASE_MS - performance.now())
  const rested = new Set<string>()

  function refused(error: unknown): never {
    if (error instanceof TroupeError && error.code === 'disk_full') refusal = { error, at: performance.now() }
    throw error
  }

  function outOfSpace(): TroupeError | undefined {
    if (refusal !== undefined && performance.now() - refusal.at > OUT_OF_SPACE_MS) refusal = undefined
    return refusal?.error
  }

  atScrape(() => {
    full(none, outOfSpace() === undefined ? 0 : 1)
    if (renewedAt !== undefined) left(none, remainingMs() / 1_000)
  })

  function tell(info: Record<string, unknown>): void {
    if (typeof info.actors === 'number') actors(none, info.actors)
    const now = new Set(Array.isArray(info.resting) ? info.resting.map(String) : [])
    for (const agent of now) rested.add(agent)
    for (const agent of rested) resting({ agent }, now.has(agent) ? 1 : 0)
  }

  function labelsFor(agent: string): Labels {
    let labels = fromDoor.get(agent)
    if (labels === undefined) {
      labels = { agent, from: 'door' }
      fromDoor.set(agent, labels)
    }
    return labels
  }

  const measured: Journal = {
    ...journal,
    async accept(task) {
      const begun = performance.now()
      const answer = await journal.accept(task).catch(refused)
      accepted(none, (performance.now() - begun) / 1_000)
      if (answer.created) submitted(labelsFor(task.agent))
      return answer
    },
    async deliver(message) {
      const delivery = await journal.deliver(message).catch(refused)
      const outcome = !delivery.delivered ? delivery.because : delivery.duplicate ? 'duplicate' : 'delivered'
      mail({ outcome })
      return delivery
    },
    async findOrphans(options) {
      const wakes = await journal.findOrphans({
        ...options,
        onPoisoned(task) {
          poisoned({ agent: task.agent })
          onPoisoned(task)
        },
      })
      if (wakes.length > 0) found(none, wakes.length)
      return wakes
    },
    async keepLease(lease) {
      const begun = performance.now()
      const kept = await journal.keepLease(lease).catch(refused)
      const now = performance.now()
      renewal(none, (now - begun) / 1_000)
      if (kept.held) renewedAt = begun
      else lost(none)
      tell(lease.info)
      return kept
    },
  }
  return { journal: measured, holdsLease: () => remainingMs() > 0, outOfSpace }
}
