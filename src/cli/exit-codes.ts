// What the command's exit status means. Scripts rely on it, so a number never changes its meaning.
import { type TroupeError, toTroupeError } from '../contract/errors.ts'

export const EXIT = {
  ok: 0,
  /** The task failed, was cancelled or rejected. */
  failed: 1,
  /** The command or its input is wrong. */
  usage: 2,
  /** No gateway, server or worker answers. */
  unreachable: 3,
  /** Refused: no right to it, over a limit, or in a state that does not allow it. */
  refused: 4,
  /** What was named does not exist. */
  notFound: 5,
  /** A defect of Troupe, or damaged data. */
  broken: 70,
  /** Ctrl-C while it followed a task; the task goes on. */
  interrupted: 130,
} as const

export const EXIT_CODES_HELP = `Exit status:
  0   done; with --wait: the task completed
  1   the task failed, was cancelled or rejected
  2   the command or its input is wrong
  3   no gateway answers, or a part of it is down
  4   refused: no right to it, over a limit, or its state does not allow it
  5   what was named does not exist
  70  a defect of Troupe, or damaged data
  130 interrupted; a task that was followed goes on
  141 whoever read the output closed it, like head`

export function exitCodeOf(thrown: unknown): number {
  const error: TroupeError = toTroupeError(thrown)
  switch (error.code) {
    case 'internal':
    case 'journal_corrupt':
    case 'backup_damaged':
      return EXIT.broken
    case 'configuration_invalid':
    case 'agent_invalid':
    case 'plugin_invalid':
    case 'document_unreadable':
      return EXIT.usage
    case 'journal_locked':
    case 'journal_newer':
    case 'address_in_use':
      return EXIT.refused
    case 'step_failed':
    case 'step_timeout':
    case 'child_failed':
    case 'agent_crashed':
    case 'deadline_exceeded':
    case 'cancelled':
    case 'task_poisoned':
    case 'output_invalid':
    case 'budget_exceeded':
    case 'llm_not_configured':
      return EXIT.failed
    default:
      return byStatus(error.status)
  }
}

function byStatus(status: number): number {
  if (status === 404) return EXIT.notFound
  if (status === 400 || status === 405 || status === 413 || status === 415) return EXIT.usage
  if (status === 503 || status === 504) return EXIT.unreachable
  return EXIT.refused
}
