// The cursor of a list, newest first: where the page before it ended. Tasks accepted later come before it, so a page
// never shifts under inserts.
import { TroupeError } from '../contract/errors.ts'

export interface Place {
  createdAt: number
  id: string
}

export function toCursor(place: Place): string {
  return Buffer.from(`${place.createdAt}:${place.id}`).toString('base64url')
}

export function fromCursor(cursor: string): Place {
  const match = /^(\d{1,16}):([a-z0-9_]+)$/.exec(Buffer.from(cursor, 'base64url').toString())
  if (match === null) throw new TroupeError('invalid_request', `${JSON.stringify(cursor)} is not a cursor of this list`)
  return { createdAt: Number(match[1]), id: match[2]! }
}
