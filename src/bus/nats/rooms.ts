// What a giver knows of the hosts: how many tasks of each version of an agent each of them said it could take. They say it
// now and then, when they have become free, and with each answer (announcing.ts). Who says nothing for a while is not there.
import type { Announcement } from './announcing.ts'

/** Three announcements that did not come. */
const FORGOTTEN_MS = 3_500
/**
 * A host's room is given away in so many lumps. Where few tasks are much for it, each goes where most room is; what it can
 * take by the hundreds goes to it some at a time, in one message and one commit.
 */
const LUMPS = 16

/** What a host can take of one version of an agent. */
export interface Room {
  readonly host: string
  readonly subject: string
  said: number
  /** Given and not answered: what it says next counts those that it has answered. */
  unanswered: number
  /** So many tasks more go to it before another is asked, unless its message leaves earlier. */
  lump: number
  /** Nothing is given to it until then. */
  restUntil: number
}

export interface Rooms {
  hear(announcement: Announcement, now: number): void
  /** The host that the next task belongs to. */
  find(kind: string, now: number): Room | undefined
  /** How many tasks all of them could take. */
  left(kind: string, now: number): number
  /** Nothing of any kind is given to this host until then. */
  rest(host: string, until: number): void
}

/** An agent's version, as hosts name what they have room for. */
export const kindOf = (agent: string, version: string): string => `${agent}@${version}`

export function createRooms(subjectOf: (kind: string, host: string) => string): Rooms {
  const heardAt = new Map<string, number>()
  /** By kind, then by host. */
  const rooms = new Map<string, Map<string, Room>>()

  function forgetSilent(now: number): void {
    for (const [host, at] of heardAt) if (now - at > FORGOTTEN_MS) forget(host)
  }

  function forget(host: string): void {
    heardAt.delete(host)
    for (const [kind, ofKind] of rooms) {
      ofKind.delete(host)
      if (ofKind.size === 0) rooms.delete(kind)
    }
  }

  function roomOf(kind: string, host: string): Room {
    let ofKind = rooms.get(kind)
    if (ofKind === undefined) {
      ofKind = new Map()
      rooms.set(kind, ofKind)
    }
    let room = ofKind.get(host)
    if (room === undefined) {
      room = { host, subject: subjectOf(kind, host), said: 0, unanswered: 0, lump: 0, restUntil: 0 }
      ofKind.set(host, room)
    }
    return room
  }

  function* takers(kind: string, now: number): Iterable<Room> {
    for (const room of rooms.get(kind)?.values() ?? []) {
      const isThere = now - heardAt.get(room.host)! <= FORGOTTEN_MS
      if (isThere && now >= room.restUntil && room.said > room.unanswered) yield room
    }
  }

  return {
    hear({ host, rooms: said }, now) {
      if (!heardAt.has(host)) forgetSilent(now)
      heardAt.set(host, now)
      for (const [kind, count] of Object.entries(said)) roomOf(kind, host).said = count
    },

    /** As seats are given to parties: whoever comes last, each has had a share in proportion to its room. */
    find(kind, now) {
      let best: Room | undefined
      for (const room of takers(kind, now)) {
        if (room.lump > 0) {
          room.lump -= 1
          return room
        }
        if (best === undefined || room.said * (best.unanswered + 1) > best.said * (room.unanswered + 1)) best = room
      }
      if (best !== undefined) best.lump = Math.ceil(best.said / LUMPS) - 1
      return best
    },

    left(kind, now) {
      let left = 0
      for (const { said, unanswered } of takers(kind, now)) left += said - unanswered
      return left
    },

    rest(host, until) {
      for (const ofKind of rooms.values()) {
        const room = ofKind.get(host)
        if (room !== undefined) room.restUntil = until
      }
    },
  }
}
