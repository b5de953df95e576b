// What a caller may say in headers: how long to wait for an answer, which version it knows, which request it repeats.
import { z } from 'zod'
import { TroupeError } from '../../../contract/errors.ts'
import type { Task } from '../../../contract/task.ts'

export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
  .optional()

/** `Prefer: wait=N` (RFC 7240), at most `most`. Preferences we do not know are ignored, as the RFC asks. */
export function waitSeconds(prefer: string | undefined, most: number): number | undefined {
  if (prefer === undefined) return undefined
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?(?:$|[,;\s])/i.exec(prefer)
  return match === null ? undefined : Math.min(Number(match[1]), most)
}

/** A task changes with each event of its log, and with its usage between events. */
export function etagOf(task: Task): string {
  return `"${task.lastEvent}-${task.updatedAt.toString(36)}"`
}

export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch !== undefined && names(ifNoneMatch, etag)
}

export function checkIfMatch(ifMatch: string | undefined, etag: string): void {
  if (ifMatch === undefined || names(ifMatch, etag)) return
  throw new TroupeError('precondition_failed', `The task is now ${etag}, not ${ifMatch.slice(0, 100)}.`)
}

/** True: the change is for the one state that the caller knows. */
export function isOfOneState(ifMatch: string | undefined): ifMatch is string {
  return ifMatch !== undefined && ifMatch.trim() !== '*'
}

function names(header: string, etag: string): boolean {
  return header.trim() === '*' || tagsOf(header).includes(etag)
}

export function tagsOf(header: string): string[] {
  return header.split(',').map((one) => one.trim().replace(/^W\//, ''))
}
