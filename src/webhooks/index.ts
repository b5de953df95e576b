// Webhooks: a task's news on their way to who wants to hear of them.
//   index.ts     this file: the agent that delivers one piece of news to one receiver
//   message.ts   what is sent, and how it is signed (Standard Webhooks)
//   patience.ts  receivers that do not answer are left alone for a while
//
// A delivery is a task like any other: accepted in the commit that makes the news (journal/notices.ts), so a kill between
// the end of a task and the call loses nothing (P1, P5); taken over when its host dies (P3: called again, under the same
// webhook-id); asleep between attempts, in a durable timer. What may not be called, or was not reached for a day, fails
// for all to see; a retry of the failed delivery calls once more.
import { z } from 'zod'
import { CALLBACK_EVENTS, type Callback, pauseAfter, WEBHOOK_AGENT } from '../contract/callbacks.ts'
import { TroupeError } from '../contract/errors.ts'
import type { Task } from '../contract/task.ts'
import type { Journal } from '../journal/journal.ts'
import type { Notice } from '../journal/notices.ts'
import { type Agent, defineAgent } from '../sdk/index.ts'
import { messageOf, signedHeaders } from './message.ts'
import { type Admission, createPatience } from './patience.ts'

export interface WebhookParts {
  journal: Pick<Journal, 'get' | 'events'>
  /** Undefined: the webhook was removed. */
  destination(tenant: string, callback: Callback): Promise<{ url: string; secrets: string[] } | undefined>
  /** The status of the answer. */
  callBack(call: { url: string; headers: Record<string, string>; body: string; signal: AbortSignal }): Promise<number>
  /** A task as its submitter may see it. */
  view(task: Task): Record<string, unknown>
  /** No attempt is left. May be said again after a crash. */
  onFailed(tenant: string, receiver: string, error: TroupeError): void
  /** Between the attempts. */
  pausesMs: readonly number[]
  /** How long a receiver that does not answer is left alone (patience.ts). */
  restMs?: number
}

const noticeSchema: z.ZodType<Notice> = z.strictObject({
  task: z.string().max(100),
  number: z.int().min(1),
  event: z.enum(CALLBACK_EVENTS),
  callback: z.int().min(0),
})

const outputSchema = z.object({
  delivered: z.boolean(),
  attempts: z.int(),
  status: z.int().optional(),
  because: z.string().optional(),
})

type Attempt =
  | { status: number }
  | { gone: string }
  /** `final`: calling again would not help. `rests`: it was not called. */
  | { failed: string; to?: string; final?: true; rests?: Admission }

export function createWebhookAgent(parts: WebhookParts): Agent<Notice, z.output<typeof outputSchema>> {
  const { journal, pausesMs } = parts
  const patience = createPatience(parts.restMs)

  async function attempt(tenant: string, notice: Notice, signal: AbortSignal): Promise<Attempt> {
    const task = await journal.get(notice.task, tenant)
    const callback = task?.callbacks?.[notice.callback]
    if (task === undefined || callback === undefined) return { gone: 'the task is not kept any more' }
    const destination = await parts.destination(tenant, callback)
    if (destination === undefined) return { gone: 'the webhook was removed' }
    const { url, secrets } = destination
    const to = new URL(url).origin
    // What one tenant's addresses there do is none of another's business.
    const receiver = `${tenant} ${to}`
    const rests = patience.admit(receiver)
    if (rests.restMs > 0) return { failed: 'it rests, because it did not answer before', to, rests }
    const [event] = await journal.events(task.id, notice.number - 1, 1)
    const body = messageOf(task, parts.view(task), { ...notice, at: event?.at ?? task.updatedAt })
    const headers = signedHeaders({ id: `${task.id}_${notice.number}`, secrets, body, at: Date.now() })
    try {
      const status = await parts.callBack({ url, headers, body, signal })
      patience.answered(receiver)
      if (status >= 200 && status < 300) return { status }
      // Gone: who answers so wants no more of it.
      return { failed: `it answered ${status}`, to, ...(status === 410 ? { final: true } : {}) }
    } catch (error) {
      if (error instanceof TroupeError && error.code === 'address_refused') {
        return { failed: error.message, to, final: true }
      }
      patience.silent(receiver)
      return { failed: (error as Error).message, to }
    }
  }

  return defineAgent({
    ...WEBHOOK_AGENT,
    description: 'Tells a receiver that a task has ended or needs a person, with a signed POST',
    input: noticeSchema,
    output: outputSchema,
    concurrency: 16,
    steps: { retries: 0, timeout: 60_000 },
    async run({ input: notice, task: { tenant }, step, sleep }) {
      /** How often the receiver had been silent when the last attempt found it at rest. */
      let silences = Number.POSITIVE_INFINITY
      for (let attempts = 1; ; attempts++) {
        const isLast = attempts > pausesMs.length
        const made = await step(`attempt-${attempts}`, async ({ signal, progress }): Promise<Attempt> => {
          const outcome = await attempt(tenant, notice, signal).catch(
            (error: Error): Attempt => ({ failed: error.message }),
          )
          // This host lets go of the task: another one makes this attempt.
          signal.throwIfAborted()
          if ('failed' in outcome) {
            // Nobody is given up who was not asked since: for this delivery, or for another one.
            const isUnasked = outcome.rests !== undefined && outcome.rests.silences <= silences
            if (outcome.final || (isLast && !isUnasked)) throw givenUp(notice, tenant, attempts, outcome)
            // In the delivery's log: who waits for it need not wait for its last attempt to learn what is wrong.
            progress({ message: `${outcome.to ?? 'the receiver'} was not told: ${outcome.failed}` })
          }
          return outcome
        })
        if ('status' in made) return { delivered: true, attempts, status: made.status }
        if ('gone' in made) return { delivered: false, attempts, because: made.gone }
        if (isLast) silences = Math.min(silences, made.rests!.silences)
        await sleep(pauseAfter(attempts), pausesMs[attempts - 1] ?? made.rests!.restMs)
      }
    },
  })

  /** Thrown, and so not recorded: a retry of the delivery makes this attempt once more. */
  function givenUp(
    notice: Notice,
    tenant: string,
    attempts: number,
    { failed, to = 'the receiver' }: Extract<Attempt, { failed: string }>,
  ): TroupeError {
    const message = `${to} was not told that ${notice.task} is ${notice.event.slice(5)}, in ${attempts} attempts: ${failed}`
    const error = new TroupeError('delivery_failed', message, { detail: { attempts, task: notice.task, to } })
    parts.onFailed(tenant, to, error)
    return error
  }
}
