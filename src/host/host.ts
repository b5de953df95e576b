// A host: a process's part that runs actors under a lease.
//   host.ts       this file: actors come and go; start, drain, stop
//   actors.ts     the actors it runs, by task
//   lease.ts      keeps the lease, and stops everything when it is lost (self-fencing)
//   event-loop.ts how late the process comes to its timers
//   timers.ts     turns due timers into mail, on time
//   take-over.ts  what to do when a host is known to be dead
//   retention.ts  forgets what ended long ago
//   suspects.ts   who must not die beside whom
//   breakers.ts   which agent rests because its tasks crash again and again
//   health.ts     tells the platform when one rests and serves again
//   sweeper.ts    finds what has no owner and should have one (P5)
//   versions.ts   which version of an agent may run a task
//   later.ts      what it comes back to
//   misfits.ts    what becomes of a task that none here may run, or can read
//   entrusted.ts  tasks that are not on disk yet
//   announcements.ts  a task as an offer, a commit's events as their followers get them
//   observe.ts    where it lets itself be watched
//   llm.ts        the LLM of a step, metered
//   services.ts   what a step may touch: documents, inference, retrieval, llm, tools
//
// The host knows journal, bus and agents. It does not know that HTTP exists.
import { setTimeout as wait } from 'node:timers/promises'
import { Actor } from '../actor/actor.ts'
import type { ActorExit } from '../actor/actor-parts.ts'
import { isOrderToStop } from '../actor/logic.ts'
import type { ContextMaker } from '../actor/steps.ts'
import type { Bus, Entrusted, Offer, Taker } from '../bus/bus.ts'
import { newId } from '../contract/ids.ts'
import { hasEnded } from '../contract/task.ts'
import type { ActorCommit, Journal, LoadedTask, TaskRow } from '../journal/journal.ts'
import type { AgentRegistry } from '../plugins/registry.ts'
import { createActors } from './actors.ts'
import { type Applied, endOf, newsOf, wakeOf } from './announcements.ts'
import { type Interest, takeEntrusted } from './entrusted.ts'
import { watchHealth } from './health.ts'
import { createLater } from './later.ts'
import { keepLease, type LeaseKeeper } from './lease.ts'
import { noteMisfit, noteUnreadable } from './misfits.ts'
import type { Observe } from './observe.ts'
import { keepForgetting } from './retention.ts'
import { createSuspects, PROBATION_MS } from './suspects.ts'
import { keepSweeping } from './sweeper.ts'
import { keepTimers, type TimerKeeper } from './timers.ts'
import { anyAgent, fitVersion } from './versions.ts'

export interface HostParts {
  journal: Journal
  bus: Bus
  agents: AgentRegistry
  makeContext: ContextMaker
  observe: Observe
  /** How long an ended task is kept. Absent: for ever. */
  retentionMs?: number
  /** How long its lease lasts without renewal. Default: as in a cluster. */
  leaseMs?: number
  /** Shown by `troupe tree`. */
  label?: string
  onTrouble(what: string, error: unknown): void
}

export interface Host {
  readonly id: string
  readonly actors: number
  /** Resolves when the first lease is held and offers are taken. */
  start(): Promise<void>
  /** Stops pulling, lets running steps end within the grace, releases the rest un-owned (P8). */
  drain(graceMs: number): Promise<void>
  /** Stops at once: the lease ends, so others take the tasks immediately. */
  stop(): Promise<void>
}

const RETAKE_MS = 500
/** The place of an actor: by whose offer it came, and who wants to hear of its end. */
type Place = Offer & Partial<Interest>

export function createHost(parts: HostParts): Host {
  const { journal, bus, agents } = parts
  const actors = createActors()
  const takers = new Map<string, Taker>()
  const later = createLater()
  const suspects = createSuspects()
  const health = watchHealth({ bus, onTrouble: parts.onTrouble, hostId: () => id })
  let id = newId('host')
  // The id it was born with stays with every lease it ever holds: whoever sees the process die knows it by that.
  const origin = id
  let lease: LeaseKeeper | undefined
  /** A new lease under way: who stops meanwhile must wait for it to be able to end it. */
  let beginning: Promise<void> = Promise.resolve()
  let timers: TimerKeeper | undefined
  let stopSweeping = () => {}
  let stopForgetting = () => {}
  let unsubscribe = () => {}
  let entrusted: Entrusted | undefined
  let accepting = false

  function onOffer(offer: Offer): void {
    if (!accepting) return // The task stays as it is, for whoever comes next.
    if (actors.has(offer.taskId)) {
      actors.offered(offer.taskId, offer.epoch)
      takers.get(offer.agent)?.more(1)
      return
    }
    // A fresh task travels with its offer: nothing to read. It is copied because the actor's row changes.
    if (offer.task?.version === 0) run({ task: { ...offer.task }, mail: [], steps: {} }, offer)
    else void loadAndRun(offer)
  }

  async function loadAndRun(offer: Place): Promise<void> {
    try {
      const loaded = await journal.load(offer.taskId)
      const owner = loaded?.task.owner
      const isOurs = accepting && (owner === undefined || owner === id)
      if (isOurs && loaded !== undefined && !hasEnded(loaded.task.state)) return run(loaded, offer)
    } catch (error) {
      noteUnreadable(parts, id, offer.taskId, error)
      // Nobody else offers what this host owns: its place stays taken, and it is read again.
      if (offer.owner === id) return later.after(RETAKE_MS, () => onOffer(offer))
    }
    takers.get(offer.agent)?.more(1)
  }

  function beginEntrusted(task: TaskRow, interest: Interest): void {
    // It drains since the task was accepted: another host shall have it.
    if (accepting) run({ task, mail: [], steps: {} }, { ...wakeOf(task), ...interest })
    else bus.offer(wakeOf(task))
  }

  function run(loaded: LoadedTask, offer: Place): void {
    const { task } = loaded
    const mustStop = loaded.mail.some(isOrderToStop)
    const fit = actors.has(task.id) ? undefined : mustStop ? anyAgent(agents, task) : fitVersion(agents, task)
    if (fit?.agent === undefined) {
      if (fit !== undefined) noteMisfit(parts, id, task, fit.reason)
      takers.get(offer.agent)?.more(1)
      return
    }
    // An order to stop is obeyed at once (P7), whoever rests.
    const waitMs = mustStop ? 0 : suspects.admit(task) ? health.wait(task.agent, task.id) : PROBATION_MS
    if (waitMs > 0) {
      // The offer's place stays taken: it is this task that comes back to it.
      later.after(waitMs, () => void loadAndRun(offer))
      return
    }
    if (fit.snapshot !== undefined) task.snapshot = fit.snapshot
    const observation = parts.observe(task)
    const actor = new Actor(
      {
        hostId: id,
        claimFirst: offer.found === true,
        journal,
        agent: fit.agent,
        resolve: (agent, version, input) => {
          const card = agents.require(agent, version)
          return { version: card.version, input: card.checkInput(input) }
        },
        makeContext: parts.makeContext,
        around: observation.around,
        onCommitted: (row, commit, outcome) => onCommitted(row, commit, outcome, offer),
      },
      loaded,
    )
    actors.add(actor)
    const hostId = id
    void actor.exited.then((exit) => {
      observation.ended(exit)
      onExit(actor, offer, exit, hostId)
    })
    actor.start()
  }

  function onExit(actor: Actor, offer: Place, exit: ActorExit, hostId: string): void {
    const offered = actors.remove(actor)
    suspects.leave(actor.task.id)
    if (exit.kind === 'ended' || exit.kind === 'released') health.judge(actor.task.agent, exit.crashed)
    // Whoever offered it since was heard here, and nowhere else: the place stays taken.
    if (offered && (exit.kind === 'released' || exit.kind === 'lost')) void loadAndRun(wakeOf(actor.task))
    else if (exit.kind !== 'failed') takers.get(offer.agent)?.more(1)
    if (exit.kind === 'released' && exit.runnable && !offered) bus.offer(wakeOf(actor.task))
    if (exit.kind === 'lost' && exit.fenced) {
      // Nobody owns the task. By the time it is offered again this host holds a lease under another id, or somebody else does.
      later.after(RETAKE_MS, () => bus.offer(wakeOf(actor.task)))
      if (hostId === id) lease?.lost()
    }
    if (exit.kind !== 'failed') return
    // The journal did not answer. The task may still be ours: look again, or it would wait for our lease to end.
    parts.onTrouble(`committing for ${actor.task.id}`, exit.error)
    later.after(RETAKE_MS, () => onOffer({ ...wakeOf(actor.task), owner: hostId }))
  }

  function onCommitted(task: TaskRow, commit: ActorCommit, outcome: Applied, { onEnd, isUntold }: Place): void {
    bus.publish(task.tenant, newsOf(task, commit, outcome, isUntold?.() === true))
    for (const child of outcome.children) bus.offer({ ...wakeOf(child), task: child })
    for (const wake of outcome.woken) awaken(wake)
    for (const timer of commit.timersSet ?? []) timers?.expect(timer.inMs)
    if (hasEnded(commit.state)) onEnd?.(endOf(task, commit, outcome))
  }

  function awaken(wake: Offer): void {
    if (wake.owner === undefined && agents.find(wake.agent) === undefined) void loadAndRun(wake)
    else if (wake.owner === undefined) bus.offer(wake)
    else if (wake.owner === id) actors.get(wake.taskId)?.wake()
    else bus.nudge(wake.owner, wake.taskId)
  }

  function abandonAll(): void {
    for (const actor of actors) actor.abandon()
  }

  async function begin(): Promise<void> {
    unsubscribe = bus.onNudge(id, (taskId) => actors.get(taskId)?.wake())
    lease = await keepLease({
      ...parts,
      hostId: id,
      info: () => {
        const { label = 'host' } = parts
        return { origin, label, pid: process.pid, actors: actors.size, resting: health.resting() }
      },
      onLost: () => {
        // Fenced: others own the tasks now. Begin again as another host.
        abandonAll()
        unsubscribe()
        id = newId('host')
        beginning = beginAgain()
      },
    })
  }

  /** Without a lease it could claim nothing: it tries until the journal answers. */
  async function beginAgain(): Promise<void> {
    for (; accepting; await wait(RETAKE_MS)) {
      try {
        return await begin()
      } catch (error) {
        unsubscribe()
        parts.onTrouble('beginning a new lease', error)
      }
    }
  }

  async function end(): Promise<void> {
    accepting = false
    stopSweeping()
    stopForgetting()
    timers?.stop()
    later.stop()
    for (const taker of takers.values()) await taker.stop()
    takers.clear()
    await entrusted?.stop()
    await beginning
    lease?.stop()
    unsubscribe()
    await journal.endLease(id).catch((error: unknown) => parts.onTrouble('ending the lease', error))
  }

  return {
    get id() {
      return id
    },
    get actors() {
      return actors.size
    },

    async start() {
      accepting = true
      await begin()
      timers = keepTimers({ journal, onWoken: (woken) => woken.forEach(awaken), onTrouble: parts.onTrouble })
      stopSweeping = keepSweeping({ journal, onWoken: (woken) => woken.forEach(awaken), onTrouble: parts.onTrouble })
      const { retentionMs, onTrouble } = parts
      if (retentionMs !== undefined) stopForgetting = keepForgetting({ journal, retentionMs, onTrouble })
      for (const name of agents.names()) {
        const taker = bus.take([name], onOffer)
        takers.set(name, taker)
        taker.more(agents.agent(name)!.concurrency)
      }
      entrusted = takeEntrusted({
        ...parts,
        room: (agent) => (accepting && lease?.live === true ? (takers.get(agent)?.room?.() ?? 0) : 0),
        admit: (agent) => accepting && lease?.live === true && takers.get(agent)?.admit?.() === true,
        free: (agent) => takers.get(agent)?.more(1),
        begin: beginEntrusted,
      })
    },

    async drain(graceMs) {
      accepting = false
      await entrusted?.stop()
      for (const taker of takers.values()) await taker.stop()
      for (const actor of actors) actor.drain(graceMs)
      await Promise.all([...actors].map(({ exited }) => exited))
      await end()
    },

    async stop() {
      accepting = false
      abandonAll()
      await end()
    },
  }
}
