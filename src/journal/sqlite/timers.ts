// Durable timers: due ones become mail, each once.
import type { DatabaseSync } from 'node:sqlite'
import type { Wake } from '../journal.ts'
import { timerMessageBody } from '../rules.ts'
import type { Mail } from './mail.ts'

interface DueTimer {
  task: number
  task_id: string
  id: string
  due_at: number
  mail_position: number
}

export function timers(db: DatabaseSync, { deliver }: Mail) {
  const due = db.prepare(`
    SELECT timers.task, tasks.id AS task_id, timers.id, timers.due_at, tasks.mail_position
    FROM timers JOIN tasks ON tasks.seq = timers.task WHERE due_at <= ? ORDER BY due_at LIMIT ?`)
  const remove = db.prepare('DELETE FROM timers WHERE task = ? AND id = ?')
  const next = db.prepare('SELECT due_at FROM timers ORDER BY due_at LIMIT 1')

  function nextDueInMs(at: number): number | undefined {
    const first = next.get()
    return first === undefined ? undefined : Math.max(0, Number(first.due_at) - at)
  }

  return {
    nextDueInMs,

    fire(limit: number, at: number): { woken: Wake[]; nextDueInMs: number | undefined } {
      const woken: Wake[] = []
      for (const timer of due.all(at, limit) as unknown as DueTimer[]) {
        remove.run(timer.task, timer.id)
        const delivery = deliver(timerMessage(timer), at)
        if (delivery.delivered && !delivery.duplicate) woken.push(delivery.wake)
      }
      return { woken, nextDueInMs: nextDueInMs(at) }
    },
  }
}

function timerMessage({ task_id, id, due_at, mail_position }: DueTimer) {
  const body = timerMessageBody(id)
  // A timer set anew under its old id is another firing, even in the same millisecond: the mailbox has grown since.
  const message = { id: `timer:${id}:${due_at}:${mail_position}`, to: task_id, from: 'timer', body }
  return { message, body: JSON.stringify(body) }
}
