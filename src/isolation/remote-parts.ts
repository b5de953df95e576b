// The plug-in's side: a host's journal, bus and services, each call a question to the guard.
import type { Bus, Offer, Taker } from '../bus/bus.ts'
import { TroupeError, toTroupeError } from '../contract/errors.ts'
import { absentLlm } from '../host/llm.ts'
import { type AskChat, remoteLlm } from '../host/llm-remote.ts'
import type { ChatAnswer, ChatPiece } from '../host/llm-served.ts'
import type { Around, Observe, SeenStep } from '../host/observe.ts'
import { absentServices, type Services } from '../host/services.ts'
import type { Journal } from '../journal/journal.ts'
import type { Permissions } from '../plugins/index.ts'
import type { Llm, Log } from '../sdk/context.ts'
import { type Channel, createPeer, type Peer } from './channel.ts'

export interface RemoteParts {
  journal: Journal
  bus: Bus
  /** Tells the guard of steps; it makes the spans. */
  observe: Observe
  /** For the steps of one task. */
  services(task: { id: string }): Services
}

/** `llm`: the host has one. */
export function remoteParts(
  channel: Channel,
  { permissions, llm }: { permissions: Permissions; llm: boolean },
): RemoteParts {
  const takers = new Map<number, (offer: Offer) => void>()
  const nudges = new Map<string, (taskId: string) => void>()
  const listeners = new Map<number, (piece: ChatPiece) => void>()
  const guard = createPeer(channel, {
    'llm.piece': (call: number, piece: ChatPiece) => listeners.get(call)?.(piece),
    offer: (taker: number, offer: Offer) => takers.get(taker)?.(offer),
    nudge: (hostId: string, taskId: string) => nudges.get(hostId)?.(taskId),
  })
  return {
    journal: remoteJournal(guard),
    bus: remoteBus(guard, takers, nudges),
    observe: (task) => ({ around: tellSteps(guard, task.id), ended() {} }),
    services: ({ id }) => ({
      ...remoteServices(guard, id),
      llm: !permissions.llm ? () => deniedLlm : llm ? remoteLlm(askChat(guard, id, listeners)) : () => absentLlm,
    }),
  }
}

/** What a host needs of a journal; everything else is for doors and operators. */
function remoteJournal(guard: Peer): Journal {
  const ask = (verb: string) => async (given?: unknown) => (await guard.call(verb, given)) as never
  const refuse = async () => {
    throw new TroupeError('permission_denied', 'An isolated plug-in has no such journal.')
  }
  return {
    inOrder: false,
    load: ask('load'),
    commit: ask('commit'),
    keepLease: ask('keepLease'),
    endLease: ask('endLease'),
    fireTimers: ask('fireTimers'),
    now: ask('now'),
    // The host that guards this process sweeps for it.
    findOrphans: async () => [],
    close: async () => {},
    accept: refuse,
    deliver: refuse,
    hosts: refuse,
    get: refuse,
    list: refuse,
    events: refuse,
    heads: refuse,
    reopen: refuse,
    counts: refuse,
    usage: refuse,
    purge: refuse,
    erase: refuse,
  }
}

function remoteBus(
  guard: Peer,
  takers: Map<number, (offer: Offer) => void>,
  nudges: Map<string, (taskId: string) => void>,
): Bus {
  let next = 0
  const refuse = async () => {
    throw new TroupeError('permission_denied', 'An isolated plug-in has no such bus.')
  }
  return {
    offer: ({ taskId }) => guard.tell('offer', taskId),
    take(agents, onOffer): Taker {
      const number = next++
      takers.set(number, onOffer)
      const taking = guard.call('take', number, agents)
      taking.catch(() => {})
      return {
        more: (count) => guard.tell('more', number, count),
        async stop() {
          takers.delete(number)
          await guard.call('stopTaking', number)
        },
      }
    },
    onNudge(hostId, handler) {
      nudges.set(hostId, handler)
      return () => nudges.delete(hostId)
    },
    // The guard announces what was committed; nothing else is anybody's business.
    publish() {},
    nudge() {},
    publishPlatform: async () => {},
    follow: () => () => {},
    followPlatform: refuse,
    serveControl: () => () => {},
    control: refuse,
    status: () => ({ connected: true }),
    close: async () => {},
  }
}

function tellSteps(guard: Peer, taskId: string): Around {
  return {
    async step(_task, { id, invocation, attempt }, inner) {
      const seen: SeenStep = { id, invocation, attempt }
      guard.tell('step.began', taskId, seen)
      const result = await inner()
      guard.tell('step.ended', taskId, seen, result.ok ? null : codeOf(result.error))
      return result
    },
    committing() {},
    committed() {},
  }
}

function codeOf(error: unknown): string {
  return toTroupeError(error, 'step_failed').code
}

function remoteServices(guard: Peer, taskId: string): Services {
  const ask =
    (verb: string) =>
    async (...given: unknown[]) =>
      (await guard.call(verb, taskId, ...given)) as never
  return {
    ...absentServices,
    documents: () => ({ info: ask('documents.info'), read: ask('documents.read'), put: ask('documents.put') }),
    inference: {
      available: ask('inference.available'),
      classify: ask('inference.classify'),
      embed: ask('inference.embed'),
    },
    retrieval: () => ({
      available: ask('retrieval.available'),
      upsert: ask('retrieval.upsert'),
      search: ask('retrieval.search'),
      remove: ask('retrieval.remove'),
    }),
    sources: () => ({ query: ask('sources.query') }),
    web: () => ({ read: ask('web.read') }),
    log: ({ step }) => logTo(guard, taskId, String(step)),
    async aroundTool(name, inner) {
      const call = calls++
      // Refused there: what this process holds true of its permissions, its code can change.
      await guard.call('tool.began', taskId, call, name)
      try {
        const result = await inner()
        guard.tell('tool.ended', taskId, call, null)
        return result
      } catch (error) {
        guard.tell('tool.ended', taskId, call, codeOf(error))
        throw error
      }
    },
  }
}

let calls = 0

function askChat(guard: Peer, taskId: string, listeners: Map<number, (piece: ChatPiece) => void>): AskChat {
  return async (request, signal, onPiece) => {
    const call = calls++
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const stop = () => {
      guard.tell('llm.stop', call)
      reject(signal.reason)
    }
    signal.throwIfAborted()
    signal.addEventListener('abort', stop, { once: true })
    listeners.set(call, onPiece)
    try {
      return (await Promise.race([guard.call('llm.chat', taskId, call, request), aborted])) as ChatAnswer
    } finally {
      listeners.delete(call)
      signal.removeEventListener('abort', stop)
    }
  }
}

/** Not configured, so that an agent that can do without takes its other path; whoever asks all the same is told why. */
const deniedLlm: Llm = {
  configured: false,
  chat: async () => {
    const line = '"llm": true'
    throw new TroupeError(
      'permission_denied',
      `The manifest does not let it ask the LLM. In package.json, under troupe.permissions: ${line}`,
    )
  },
}

function logTo(guard: Peer, taskId: string, step: string): Log {
  const at = (level: string) => (message: string) => guard.tell('log', taskId, step, level, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
