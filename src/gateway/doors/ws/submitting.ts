// Submitting over a connection that stays: no request line, headers and login for each task, and what arrives together is
// accepted by one commit. On wish the reader is told when a task has ended. Screened, limited and audited like POST /v1/tasks.

import type { Ended } from '../../../bus/bus.ts'
import { TroupeError } from '../../../contract/errors.ts'
import type { Task } from '../../../contract/task.ts'
import type { Ending } from '../../../desk/desk.ts'
import { actOf } from '../../audit/trail.ts'
import { type Principal, requireRole } from '../../auth/principal.ts'
import type { GatewayContext } from '../../parts.ts'
import { codedError } from '../../problem.ts'
import { createSubmissions } from '../../submissions.ts'
import { taskViewFor } from '../rest/task-view.ts'
import type { StreamMessage, SubmitMessage } from './protocol.ts'

/** Submissions of one connection that are on their way or waited for. */
const MAX_OPEN = 1_000

export interface Submitting {
  /** Does not wait for the disk: the answers come in the order of the commits. */
  submit(message: SubmitMessage, bytes: number): void
  /** Tasks whose end was promised and not told yet. */
  readonly watched: ReadonlyMap<string, Ending>
  close(): void
}

export function createSubmitting(parts: {
  context: GatewayContext
  reader: Principal
  requestId: string
  send(message: StreamMessage): void
  fail(error: unknown, about: { request: string }): void
}): Submitting {
  const { context, reader, requestId, send } = parts
  const { desk, audit, metrics, screening } = context
  const submissions = createSubmissions(context)
  const watched = new Map<string, Ending>()
  let open = 0
  let closed = false

  function record(target: string, status: number, detail?: Record<string, string>): void {
    audit.record(actOf(reader, requestId, { action: 'task.submit', target, status, detail }))
  }

  async function accept(message: SubmitMessage, bytes: number): Promise<void> {
    const { request, submission, idempotencyKey, watch } = message
    requireRole(reader, 'submitter')
    audit.checkRoom()
    if (open > MAX_OPEN) {
      throw new TroupeError('overloaded', `A connection has at most ${MAX_OPEN} submissions on their way.`)
    }
    const flagged = await submissions.admit(reader.tenant, submission, bytes)
    const more = { idempotencyKey, traceparent: message.traceparent }
    const detail = flagged === undefined ? undefined : { screening: flagged }
    if (watch === undefined) {
      const { task, created } = await submissions.hand(reader.tenant, submission, more, desk.submit)
      record(task.id, 202, detail)
      send({ type: 'submitted', request, task: task.id, created })
      return
    }
    const { task, created, ending } = await submissions.hand(reader.tenant, submission, more, (wanted) =>
      desk.submitAndWatch(wanted, watch),
    )
    record(task.id, 202, detail)
    if (closed) return ending.stop()
    watched.set(task.id, ending)
    send({ type: 'submitted', request, task: task.id, created })
    const ended = await ending.ended
    if (watched.get(task.id) === ending) watched.delete(task.id)
    if (ended !== undefined && !closed) await tell(task, ended, watch)
  }

  async function tell(task: Task, ended: Ended, watch: 'end' | 'result'): Promise<void> {
    metrics.count('troupe_gateway_stream_events_total')
    const { state } = ended
    if (watch === 'end') return send({ type: 'ended', task: task.id, state })
    const result = taskViewFor(reader, screening, await desk.asEnded(task, ended))
    send({ type: 'ended', task: task.id, state, result })
  }

  return {
    watched,
    submit(message, bytes) {
      open++
      accept(message, bytes)
        .catch((thrown: unknown) => {
          const error = codedError(thrown)
          record('/v1/stream', error.status, { code: error.code })
          parts.fail(error, { request: message.request })
        })
        .finally(() => {
          open--
        })
    },
    close() {
      closed = true
      for (const ending of watched.values()) ending.stop()
      watched.clear()
    },
  }
}
