// The LLM for the steps of an isolated plug-in, as far as its manifest declares it. Key, endpoint, retries, time limit,
// budget and span are on this side; over there is a model that asks.
import { type ErrorCode, TroupeError, toErrorRecord } from '../contract/errors.ts'
import { type ChatPiece, serveChat } from '../host/llm-served.ts'
import type { TaskRow } from '../journal/journal.ts'
import type { Accounts } from './accounts.ts'
import type { Handlers } from './channel.ts'
import type { GuardParts } from './guard.ts'

/** A plug-in asks so many at a time; more are refused, not queued. */
const MAX_CHATS = 64

export function serveLlm(
  { services, plugin, secrets }: Pick<GuardParts, 'services' | 'plugin' | 'secrets'>,
  taskOf: (taskId: string) => TaskRow,
  accounts: Accounts,
  onPiece: (call: number, piece: ChatPiece) => void,
): { handlers: Handlers; close(): void } {
  const asked = new Map<number, AbortController>()

  /** Answers of an endpoint that refuses may quote what was sent to it. */
  function withoutSecrets(error: unknown): TroupeError {
    const { code, message } = toErrorRecord(error)
    const clean = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), message)
    return new TroupeError(code satisfies ErrorCode, clean)
  }

  async function chat(taskId: string, call: number, request: unknown) {
    const task = taskOf(taskId)
    if (!plugin.permissions.llm) {
      throw new TroupeError(
        'permission_denied',
        `${plugin.name} asks the LLM; its manifest does not let it. In package.json, under troupe.permissions: "llm": true`,
      )
    }
    if (asked.size >= MAX_CHATS || asked.has(call)) {
      throw new TroupeError('overloaded', `${plugin.name} is asking the LLM ${asked.size} times at once already.`)
    }
    accounts.check(task)
    const stop = new AbortController()
    asked.set(call, stop)
    try {
      return await serveChat(services.llm, request, {
        signal: stop.signal,
        ...(task.traceparent === undefined ? {} : { traceparent: task.traceparent }),
        spend: (usage) => accounts.spend(task, usage),
        onPiece: (piece) => onPiece(call, piece),
      })
    } catch (error) {
      throw withoutSecrets(error)
    } finally {
      asked.delete(call)
    }
  }

  return {
    handlers: {
      'llm.chat': chat,
      'llm.stop': (call: number) => asked.get(call)?.abort(new TroupeError('cancelled', 'The step has ended.')),
    },
    close() {
      for (const stop of asked.values()) stop.abort(new TroupeError('cancelled', 'The process has ended.'))
    },
  }
}
