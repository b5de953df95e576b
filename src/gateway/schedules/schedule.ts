// What a schedule is, as it is kept.
import type { ErrorCode } from '../../contract/errors.ts'
import type { SubmitRequest } from '../../desk/desk.ts'

export interface ScheduleRow {
  tenant: string
  /** The tenant's name for it. */
  name: string
  /** Of this version of it: a schedule that takes its place fires tasks of its own. */
  id: string
  /** What is submitted each time. */
  request: Omit<SubmitRequest, 'tenant' | 'deadline' | 'idempotencyKey' | 'traceparent'>
  when: { at: number } | { cron: string; timeZone: string }
  /** `skip`: not while the task before it has not ended. */
  overlap: 'allow' | 'skip'
  createdAt: number
  createdBy: string
  /** Absent: it will not fire again. */
  nextAt?: number
  last?: Firing
}

export interface Firing {
  /** The time it was due, which is also a part of its task's idempotency key. */
  at: number
  task?: string
  /** The task before it had not ended. */
  skipped?: true
  error?: { code: ErrorCode; message: string }
}
