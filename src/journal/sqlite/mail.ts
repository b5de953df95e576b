// Mailboxes (P4): a position for each message, each id once, in the order of arrival.
import type { DatabaseSync } from 'node:sqlite'
import { MAX_MAILBOX } from '../../contract/limits.ts'
import type { Delivery } from '../journal.ts'
import type { PreparedMessage } from '../prepare.ts'
import { messageReferences } from '../references.ts'
import { toWake, WAKE_COLUMNS, type WakeColumns } from '../rows.ts'
import { countsAgainstMailbox } from '../rules.ts'
import type { Acceptance } from './accept.ts'
import type { Fences } from './fences.ts'

export interface Receiver extends WakeColumns {
  seq: number
  ended_at: number | null
  mail_position: number
  mail_read: number
}

export interface Mail {
  deliver(prepared: PreparedMessage, at: number): Delivery
}

export function mailboxes(db: DatabaseSync, accepting: Acceptance, fences: Fences): Mail {
  const receiver = db.prepare(`SELECT ${WAKE_COLUMNS}, seq, ended_at, mail_position, mail_read FROM tasks WHERE id = ?`)
  const put = db.prepare(`
    INSERT INTO mail (task, position, message_id, sender, body) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (task, message_id) DO NOTHING`)
  const nameValue = db.prepare('INSERT OR REPLACE INTO value_references (task, slot, sha256) VALUES (?, ?, ?)')
  const wake = db.prepare(`
    UPDATE tasks SET mail_position = ?2, runnable_at = CASE WHEN owner IS NULL THEN coalesce(runnable_at, ?3) END
    WHERE seq = ?1`)

  return {
    deliver(prepared, at) {
      const { message, body } = prepared
      accepting.settle(message.to)
      const to = receiver.get(message.to) as Receiver | undefined
      if (to === undefined || (message.tenant !== undefined && message.tenant !== to.tenant)) {
        return { delivered: false, because: 'unknown_task' }
      }
      if (to.ended_at !== null) return { delivered: false, because: 'ended' }
      if (to.mail_position - to.mail_read >= MAX_MAILBOX && countsAgainstMailbox(message.body)) {
        return { delivered: false, because: 'mailbox_full' }
      }
      const position = to.mail_position + 1
      const { changes } = put.run(to.seq, position, message.id, message.from, body)
      if (changes === 0) return { delivered: true, duplicate: true, wake: toWake(to) }
      const values = messageReferences(prepared)
      for (const { slot, sha256 } of values) nameValue.run(to.seq, slot, sha256)
      wake.run(to.seq, position, at)
      fences.received(message.to, position, values.length > 0)
      return { delivered: true, duplicate: false, wake: toWake(to) }
    },
  }
}
