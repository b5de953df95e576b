// The guard: answers an isolated plug-in's process. It knows which tasks are the plug-in's and refuses all others; what
// follows from a commit (events, offers, wakes) it announces itself, so the plug-in never speaks to the bus.
import type { Bus, Offer, Taker } from '../bus/bus.ts'
import { TroupeError } from '../contract/errors.ts'
import { hasEnded } from '../contract/task.ts'
import { numbered, wakeOf } from '../host/announcements.ts'
import type { Observe } from '../host/observe.ts'
import type { Services } from '../host/services.ts'
import type { CommitOutcome, HostLease, Journal, LoadedTask, TaskRow } from '../journal/journal.ts'
import { noticesOf } from '../journal/notices.ts'
import type { AgentRegistry, Permissions } from '../plugins/index.ts'
import { createAccounts } from './accounts.ts'
import { type Channel, createPeer, type Handlers, type Peer } from './channel.ts'
import { judge, readCommit } from './judgement.ts'
import { serveLlm } from './served-llm.ts'
import { serveServices } from './served-services.ts'
import { watchTasks } from './watched-tasks.ts'

export interface GuardedPlugin {
  name: string
  agents: string[]
  permissions: Permissions
}

export interface GuardParts {
  journal: Journal
  bus: Bus
  services: Services
  agents: Pick<AgentRegistry, 'require'>
  plugin: GuardedPlugin
  label: string
  /** Texts that must never reach the process: the key of the LLM. */
  secrets: readonly string[]
  /** The process renewed its lease; it cannot while its code holds the event loop. */
  onHeard(): void
  /** As the host's own tasks are watched. */
  observe: Observe
}

export interface Guard {
  /** The process is gone. */
  close(): Promise<void>
}

/** The tasks of one plug-in that are looked at; ended ones are forgotten with their commit. */
const MAX_KNOWN = 10_000

export function createGuard(parts: GuardParts, channel: Channel): Guard {
  const { journal, bus, plugin } = parts
  const own = new Set(plugin.agents)
  const askable = new Set([...plugin.agents, ...plugin.permissions.agents])
  /** Those used last come last. */
  const known = new Map<string, TaskRow>()
  const accounts = createAccounts()
  /** One at a time: a process that lost its lease begins again as another host. */
  let host: { id: string; unsubscribe(): void } | undefined
  const takers = new Map<number, Taker>()

  const reach = {
    mayAsk: (agent: string) => askable.has(agent),
    checkInput: ({ agent, agentVersion, input }: { agent: string; agentVersion: string; input: unknown }) =>
      void parts.agents.require(agent, agentVersion).checkInput(input),
    async parentOf(taskId: string) {
      const task = await journal.get(taskId)
      return task === undefined ? undefined : (task.parent?.taskId ?? null)
    },
  }

  function remember(task: TaskRow): void {
    known.delete(task.id)
    if (known.size >= MAX_KNOWN) forget(known.keys().next().value!)
    known.set(task.id, { ...task })
  }

  function forget(taskId: string): void {
    known.delete(taskId)
    accounts.forget(taskId)
  }

  function ownTask(taskId: string): TaskRow {
    const task = known.get(taskId)
    if (task === undefined) {
      throw new TroupeError('permission_denied', `${taskId} is no task that ${plugin.name} was given.`)
    }
    // One that runs must not be forgotten for those that came after it and sleep: its next commit would be refused.
    known.delete(taskId)
    known.set(taskId, task)
    return task
  }

  const watched = watchTasks({
    observe: parts.observe,
    aroundTool: parts.services.aroundTool,
    taskOf: ownTask,
    mayUseTool(name) {
      const { tools } = plugin.permissions
      if (tools.includes(name)) return
      const named = tools.join(', ') || 'none'
      const why = `The tool ${name.slice(0, 200)} is not named in the manifest’s permissions.tools (${named}).`
      throw new TroupeError('permission_denied', why)
    },
  })

  /** What is asked for a step is done, and told, below it. */
  function belowSteps(handlers: Handlers): Handlers {
    const below = ([verb, handler]: [string, Handlers[string]]) => {
      const answer = handler as (taskId: string, ...args: unknown[]) => unknown
      return [verb, (id: string, ...args: unknown[]) => watched.within(id, () => answer(id, ...args))]
    }
    return Object.fromEntries(Object.entries(handlers).map(below))
  }

  function awaken(wake: Offer): void {
    if (wake.owner === undefined) bus.offer(wake)
    else bus.nudge(wake.owner, wake.taskId)
  }

  async function load(taskId: string): Promise<LoadedTask | undefined> {
    const loaded = await journal.load(String(taskId))
    if (loaded === undefined || !own.has(loaded.task.agent)) return undefined
    remember(loaded.task)
    return { ...loaded, task: withoutCallbacks(loaded.task) }
  }

  async function commit(value: unknown): Promise<CommitOutcome> {
    const wanted = readCommit(value)
    const task = ownTask(wanted.taskId)
    if (wanted.claim !== undefined && wanted.claim.hostId !== host?.id) {
      throw new TroupeError('permission_denied', `${wanted.claim.hostId} is no host of ${plugin.name}.`)
    }
    await judge(wanted, task, reach)
    const children = [...(wanted.children ?? []), ...noticesOf(task, wanted)]
    // Numbers go on from where the log is, not from where a plug-in says (P6).
    const { lastEvent } = task
    // What it says it knows is not taken from it.
    const { mailKnown: _, ...told } = wanted
    const outcome = await watched.commit(task, wanted, () =>
      journal.commit({ ...told, lastEvent, children, ...accounts.settle(wanted) }),
    )
    if (!outcome.applied) return outcome
    Object.assign(task, { state: wanted.state, lastEvent: outcome.lastEvent })
    if (hasEnded(wanted.state)) forget(task.id)
    if (wanted.events.length > 0) {
      bus.publish(task.tenant, numbered(task.id, wanted.events, outcome.lastEvent, outcome.at))
    }
    for (const child of outcome.children) bus.offer({ ...wakeOf(child), task: child })
    for (const wake of outcome.woken) awaken(wake)
    return { ...outcome, woken: [], children: [] }
  }

  async function keepLease(lease: HostLease): Promise<{ held: boolean }> {
    parts.onHeard()
    const hostId = String(lease.hostId)
    if (hostId !== host?.id) {
      const former = host
      host = { id: hostId, unsubscribe: bus.onNudge(hostId, (taskId) => peer.tell('nudge', hostId, taskId)) }
      former?.unsubscribe()
      if (former !== undefined) await journal.endLease(former.id)
    }
    const { origin, actors, resting, pid } = lease.info
    return await journal.keepLease({
      hostId,
      leaseMs: Math.min(Number(lease.leaseMs), 10_000),
      info: { origin, actors, resting, pid, label: parts.label },
    })
  }

  async function fireTimers(limit: number) {
    const { woken, nextDueInMs } = await journal.fireTimers(Math.min(Number(limit), 1_000))
    for (const wake of woken) awaken(wake)
    return { woken: [], nextDueInMs }
  }

  const chats = serveLlm(parts, ownTask, accounts, (call, piece) => peer.tell('llm.piece', call, piece))
  const peer: Peer = createPeer(channel, {
    load,
    commit,
    keepLease,
    fireTimers,
    now: () => journal.now(),
    async endLease(hostId: string) {
      if (hostId === host?.id) await journal.endLease(hostId)
    },
    take(number: number, agents: string[]) {
      if (!agents.every((agent) => own.has(agent))) {
        throw new TroupeError(
          'permission_denied',
          `${plugin.name} has ${plugin.agents.join(', ')}, not ${agents.join(', ')}.`,
        )
      }
      if (takers.has(number) || takers.size >= own.size) {
        throw new TroupeError('permission_denied', `${plugin.name} takes the tasks of each of its agents already.`)
      }
      takers.set(
        number,
        bus.take(agents, (offer) => give(number, offer)),
      )
    },
    more: (number: number, count: number) => takers.get(number)?.more(Math.min(Number(count), 1_000)),
    async stopTaking(number: number) {
      await takers.get(number)?.stop()
      takers.delete(number)
    },
    /** Released with work left, or to be looked at again. */
    offer(taskId: string) {
      const task = known.get(taskId)
      if (task !== undefined) void offerAgain(task.id)
    },
    ...belowSteps(serveServices(parts, ownTask)),
    ...belowSteps({ 'llm.chat': chats.handlers['llm.chat']! }),
    'llm.stop': chats.handlers['llm.stop']!,
    ...watched.handlers,
  })

  function give(number: number, offer: Offer): void {
    if (offer.task !== undefined) remember(offer.task)
    peer.tell('offer', number, offer.task === undefined ? offer : { ...offer, task: withoutCallbacks(offer.task) })
  }

  async function offerAgain(taskId: string): Promise<void> {
    const loaded = await load(taskId).catch(() => undefined)
    if (loaded !== undefined && loaded.task.owner === undefined) bus.offer(wakeOf(loaded.task))
  }

  return {
    async close() {
      chats.close()
      watched.close()
      peer.close(new TroupeError('unavailable', `The process of ${plugin.name} has ended.`))
      host?.unsubscribe()
      await Promise.all([...takers.values()].map((taker) => taker.stop()))
      // Its tasks go on in its successor at once, not when the lease would have ended.
      if (host !== undefined) await journal.endLease(host.id)
      for (const wake of await journal.findOrphans({ unclaimedMs: 100, limit: 1_000 })) awaken({ ...wake, found: true })
    },
  }
}

/** Whom a task's news goes to is not the plug-in's business: the guard tells them, and it could not be kept from doing so. */
function withoutCallbacks({ callbacks: _, ...task }: TaskRow): TaskRow {
  return task
}
