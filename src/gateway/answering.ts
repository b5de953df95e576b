// An answer to what a task asked at one moment, which its ETag names: of all answers the first is taken. The question is
// part of the message's id, so whoever answers second sends what is there already, read or not (P4).
import { TroupeError } from '../contract/errors.ts'
import { MAX_PAGE } from '../contract/limits.ts'
import type { Task } from '../contract/task.ts'
import type { Desk } from '../desk/desk.ts'
import type { Journal } from '../journal/journal.ts'
import { checkIfMatch, etagOf, tagsOf } from './doors/rest/preferences.ts'

/** `duplicate`: this very answer, under its key, was taken before. Otherwise whoever is late is told so. */
export type Answer = (
  task: Task,
  ifMatch: string,
  message: { type: string; [key: string]: unknown },
  key?: string,
) => Promise<{ duplicate: boolean }>

export function createAnswering({ desk, journal }: { desk: Desk; journal: Pick<Journal, 'load'> }): Answer {
  return async (task, ifMatch, message, key) => {
    const { id, tenant } = task
    const tag = etagOf(task)
    try {
      checkIfMatch(ifMatch, tag)
      const from = key === undefined ? 'desk' : senderOf(tag, key)
      const { duplicate } = await desk.signal(tenant, id, message, `answer:${tag}`, from)
      if (!duplicate) return { duplicate }
      throw new TroupeError('precondition_failed', `${id} has been sent a message since it was ${tag}.`)
    } catch (error) {
      const isLate = error instanceof TroupeError && error.code === 'precondition_failed'
      if (isLate && key !== undefined && (await wasTaken(task, ifMatch, key))) return { duplicate: true }
      throw error
    }
  }

  /** It waits to be read, or the log tells that it was, whatever came of it. Looked for in this order: it moves in one commit. */
  async function wasTaken({ id, tenant }: Task, ifMatch: string, key: string): Promise<boolean> {
    const tags = tagsOf(ifMatch)
    const senders = tags.map((tag) => senderOf(tag, key))
    const mail = (await journal.load(id))?.mail ?? []
    if (mail.some(({ from }) => senders.includes(from))) return true
    const asked = Math.min(...tags.map((tag) => Number.parseInt(tag.slice(1), 10)))
    if (!Number.isSafeInteger(asked)) return false
    const events = await desk.events(tenant, id, asked, MAX_PAGE)
    return events.some(({ body }) => body.type === 'message.received' && senders.includes(body.from))
  }
}

/** As the task's log names whoever sent a message. */
function senderOf(tag: string, key: string): string {
  return `desk:${tag.replaceAll('"', '')}:${key}`
}
