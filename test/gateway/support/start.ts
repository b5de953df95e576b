// A real gateway on a free port, over a real SQLite journal and the in-process bus in a temporary folder. In place of
// hosts a test ends tasks itself, with the same commits a host would make.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { Bus } from '../../../src/bus/bus.ts'
import { createInProcessBus } from '../../../src/bus/in-process.ts'
import { TroupeError } from '../../../src/contract/errors.ts'
import type { EventBody } from '../../../src/contract/events.ts'
import type { TaskState } from '../../../src/contract/task.ts'
import { createDesk } from '../../../src/desk/desk.ts'
import type { AgentCard, AgentDirectory } from '../../../src/desk/directory.ts'
import type { Role } from '../../../src/gateway/auth/principal.ts'
import {
  createGateway,
  ensureAdminKey,
  type Gateway,
  type GatewayConfig,
  type GatewayParts,
  type GatewayStore,
  openSqliteGatewayStore,
} from '../../../src/gateway/index.ts'
import { openFileBlobs } from '../../../src/journal/file-blobs.ts'
import type { Journal } from '../../../src/journal/journal.ts'
import { openSqliteJournal } from '../../../src/journal/sqlite/index.ts'

export interface Started {
  url: string
  gateway: Gateway
  journal: Journal
  bus: Bus
  store: GatewayStore
  agents: AgentDirectory
  folder: string
  adminKey: string
  /** A key of a role in a tenant. */
  key(role: Role, tenant?: string): Promise<string>
  /** A call with the admin key, or another, that reads the answer as JSON where it is JSON. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** Commits to a task as a host would, and announces the events. */
  commit(taskId: string, state: TaskState, events: EventBody[], output?: unknown): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface CallOptions {
  key?: string | undefined
  body?: unknown
  /** Sent as it is. */
  raw?: string | Uint8Array | FormData
  headers?: Record<string, string>
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  json: any
  text: string
}

export async function startGateway(
  options: { config?: Partial<GatewayConfig> } & Partial<Omit<GatewayParts, 'config'>> = {},
): Promise<Started> {
  const { config, ...parts } = options
  const folder = await mkdtemp(join(tmpdir(), 'troupe-gateway-'))
  const journal = await openSqliteJournal({ folder })
  const blobs = await openFileBlobs({ folder: join(folder, 'blobs') })
  const bus = createInProcessBus()
  const store = openSqliteGatewayStore({ folder })
  const agents = testAgents()
  const desk = createDesk({ journal, bus, agents })
  const closeStores = async () => {
    await bus.close()
    await store.close()
    await journal.close()
    await rm(folder, { recursive: true, force: true })
  }
  const gateway = await createGateway({
    desk,
    journal,
    bus,
    agents,
    blobs,
    store,
    config: { checkAnswers: true, logLevel: 'silent', ...config },
    ...parts,
  }).catch(async (error: unknown) => {
    await closeStores()
    throw error
  })
  const { url } = await gateway.listen('127.0.0.1', 0)
  const adminKey = await ensureAdminKey(folder, store)

  async function call(method: string, path: string, given: CallOptions = {}): Promise<Answer> {
    const { body, raw, headers = {} } = given
    const key = 'key' in given ? given.key : adminKey
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(raw === undefined ? {} : { body: raw as string }),
    })
    const text = await answer.text()
    const isJson = /[/+]json/.test(answer.headers.get('content-type') ?? '')
    return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : undefined }
  }

  return {
    url,
    gateway,
    journal,
    bus,
    store,
    agents,
    folder,
    adminKey,
    call,
    async key(role, tenant) {
      const body = { name: `${role} for a test`, role, ...(tenant === undefined ? {} : { tenant }) }
      const made = await call('POST', '/v1/keys', { body })
      if (made.status !== 201) throw new Error(made.text)
      return made.json.secret
    },
    async commit(taskId, state, events, output) {
      const loaded = await journal.load(taskId)
      if (loaded === undefined) throw new Error(`no task ${taskId}`)
      const { epoch, version, lastEvent, tenant, owner } = loaded.task
      const waiting = events.find((event) => event.type === 'task.waiting')
      const ends = state === 'completed' || state === 'failed' || state === 'cancelled'
      if (owner === undefined) await journal.keepLease({ hostId: 'host_test', info: {}, leaseMs: 60_000 })
      const outcome = await journal.commit({
        taskId,
        epoch,
        version,
        lastEvent,
        state,
        events,
        release: ends,
        ...(owner === undefined ? { claim: { hostId: 'host_test' } } : {}),
        ...(waiting === undefined ? {} : { waitingFor: waiting.for }),
        ...(output === undefined ? {} : { output }),
        ...(state === 'failed' ? { error: { code: 'step_failed' as const, message: 'as the test wants' } } : {}),
      })
      if (!outcome.applied) throw new Error(outcome.because)
      const first = outcome.lastEvent - events.length + 1
      bus.publish(
        tenant,
        events.map((body, index) => ({ task: taskId, number: first + index, at: outcome.at, body })),
      )
    },
    async [Symbol.asyncDispose]() {
      await gateway.close()
      await closeStores()
    },
  }
}

/** `echo` takes anything; `strict` takes a name and a number. */
function testAgents(): AgentDirectory {
  const cards = [
    card('echo', z.unknown()),
    card('strict', z.strictObject({ name: z.string(), count: z.int().default(1) })),
  ]
  const find = (name: string) => cards.find((one) => one.name === name)
  return {
    find,
    list: () => cards,
    require(name) {
      const found = find(name)
      if (found === undefined) throw new TroupeError('unknown_agent', `There is no agent ${name}.`)
      return found
    },
  }
}

function card(name: string, input: z.ZodType): AgentCard {
  return {
    name,
    version: '1.0.0',
    description: `The test’s ${name}`,
    inputSchema: z.toJSONSchema(input) as Record<string, unknown>,
    outputSchema: {},
    checkInput(value) {
      const parsed = input.safeParse(value)
      if (parsed.success) return parsed.data
      throw new TroupeError('invalid_input', z.prettifyError(parsed.error))
    },
    checkMessage() {},
  }
}
