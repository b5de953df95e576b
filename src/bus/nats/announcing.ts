// A host says how many tasks of each version of an agent it can take: each second, when somebody asks, when it has become
// free or full, and with each answer (entrusted.ts). rooms.ts listens.
import type { Subscription } from '@nats-io/transport-node'
import type { Connection } from './connection.ts'
import type { Subjects } from './subjects.ts'

const ANNOUNCE_MS = 1_000
/** So often it looks whether it has become free, or full. */
const LOOK_MS = 50

export interface Announcement {
  host: string
  /** How many tasks it can take now, by kind. */
  rooms: Record<string, number>
}

export interface Announcing {
  add(kind: string, room: () => number): void
  remove(kind: string): void
  /** For an answer that tells of these: they are not announced again. */
  of(kinds: Iterable<string>): Announcement
}

export function createAnnouncing(connection: Connection, subjects: Subjects, host: string): Announcing {
  const served = new Map<string, { room: () => number; said: number }>()
  let announcedAt = 0
  let looking: NodeJS.Timeout | undefined
  let asked: Subscription | undefined

  function of(kinds: Iterable<string>): Announcement {
    const rooms: Record<string, number> = {}
    for (const kind of kinds) {
      const one = served.get(kind)
      rooms[kind] = one?.room() ?? 0
      if (one !== undefined) one.said = rooms[kind]
    }
    return { host, rooms }
  }

  function announce(kinds: Iterable<string> = served.keys()): void {
    announcedAt = performance.now()
    if (connection.connected) connection.nats.publish(subjects.rooms, JSON.stringify(of(kinds)))
  }

  function look(): void {
    const isDue = performance.now() - announcedAt >= ANNOUNCE_MS
    if (isDue || [...served.values()].some(hasChanged)) announce()
  }

  return {
    of,

    add(kind, room) {
      served.set(kind, { room, said: 0 })
      looking ??= setInterval(look, LOOK_MS).unref()
      asked ??= connection.nats.subscribe(subjects.roomsWanted, { callback: () => announce() })
    },

    remove(kind) {
      served.delete(kind)
      announce([kind])
      if (served.size > 0) return
      clearInterval(looking)
      looking = undefined
      asked?.unsubscribe()
      asked = undefined
    },
  }
}

function hasChanged({ room, said }: { room: () => number; said: number }): boolean {
  const now = room()
  return now > 2 * said || (now === 0 && said > 0)
}
