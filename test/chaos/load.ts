// The client that keeps books: every task id it was given is on its own disk before it goes on. It asks again when it is
// refused or hears nothing: mostly with the same key, as a careful client does, and now and then without one.
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import type { Random } from './random.ts'

export interface Accepted {
  id: string
  agent: string
  key: string
}

/** Tasks without an idempotency key are begun in the commit that accepts them, others in the next. */
const KEYED = 0.6

export interface Load {
  readonly accepted: Accepted[]
  /** Calls that had to be repeated. */
  readonly repeated: number
  submit(agent: string, input: unknown): Promise<Accepted>
  /** Ends the submitting; everything begun is finished. */
  stop(): Promise<void>
}

const CALLERS = 8
const PAUSE_MS = 60
const MESSAGES = 5
const AGAIN_MS = 100
const CALL_MS = 10_000
/** Longer than any outage here: a door that stays shut is a finding, not a reason to wait on. */
const GIVE_UP_MS = 60_000

let loads = 0

export function startLoad(cluster: Cluster, random: Random): Load {
  const run = `${process.pid}-${loads++}`
  const file = openSync(join(cluster.folder, `accepted-${run}.log`), 'a')
  const accepted: Accepted[] = []
  let next = 0
  let repeated = 0
  let stopped = false

  async function post(path: string, body: unknown, key: string | undefined): Promise<{ id: string }> {
    const since = performance.now()
    for (let last: unknown; ; repeated += 1, await wait(AGAIN_MS)) {
      if (performance.now() - since > GIVE_UP_MS) {
        throw new Error(`The gateway accepted nothing for ${GIVE_UP_MS} ms.`, { cause: last })
      }
      try {
        const response = await fetch(cluster.url + path, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${cluster.key}`,
            'content-type': 'application/json',
            ...(key === undefined ? {} : { 'idempotency-key': key }),
          },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(CALL_MS),
        })
        const answer = (await response.json()) as { id: string; code?: string; detail?: string }
        if (response.ok) return answer
        last = `${response.status} ${answer.code}: ${answer.detail}`
        if (response.status < 500 && response.status !== 429) throw new Refused(String(last))
      } catch (error) {
        if (error instanceof Refused) throw error
        last = error
      }
    }
  }

  async function submit(agent: string, input: unknown, keyed = true): Promise<Accepted> {
    const key = `chaos-${run}-${next++}`
    const { id } = await post('/v1/tasks', { agent, input }, keyed ? key : undefined)
    const entry = { id, agent, key }
    writeSync(file, `${JSON.stringify(entry)}\n`)
    fsyncSync(file)
    accepted.push(entry)
    return entry
  }

  async function call(): Promise<void> {
    while (!stopped) {
      const dice = random()
      const ms = Math.floor(random() * 60)
      const keyed = random() < KEYED
      if (dice < 0.65) await submit('chaos-ledger', { ms }, keyed)
      else if (dice < 0.85) await submit('chaos-parent', { ms }, keyed)
      else {
        const { id, key } = await submit('chaos-mailbox', { expected: MESSAGES }, keyed)
        for (let number = 1; number <= MESSAGES; number++)
          await post(`/v1/tasks/${id}/messages`, { type: 'count', number }, `${key}-${number}`)
      }
      await wait(PAUSE_MS * random() * 2)
    }
  }

  const callers = Array.from({ length: CALLERS }, call)
  // A caller that gave up is told of by `stop`, and must not end the process before.
  for (const caller of callers) caller.catch(() => {})
  return {
    accepted,
    get repeated() {
      return repeated
    },
    submit,
    async stop() {
      stopped = true
      try {
        await Promise.all(callers)
      } finally {
        closeSync(file)
      }
    },
  }
}

class Refused extends Error {}
