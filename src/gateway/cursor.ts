// Cursors are opaque, signed, and bound to the tenant and the query they came from: one that was changed, or carried to
// another tenant or other filters, is refused instead of answering something surprising.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { TroupeError } from '../contract/errors.ts'

export interface Cursors {
  seal(tenant: string, query: string, position: string): string
  open(tenant: string, query: string, cursor: string): string
}

const SIGNATURE_BYTES = 16

export function createCursors(secret: string): Cursors {
  const sign = (tenant: string, query: string, position: string) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([tenant, query, position]))
      .digest()
      .subarray(0, SIGNATURE_BYTES)

  return {
    seal(tenant, query, position) {
      return Buffer.concat([sign(tenant, query, position), Buffer.from(position)]).toString('base64url')
    },
    open(tenant, query, cursor) {
      const bytes = Buffer.from(cursor, 'base64url')
      const position = bytes.subarray(SIGNATURE_BYTES).toString('utf8')
      const signature = bytes.subarray(0, SIGNATURE_BYTES)
      const expected = sign(tenant, query, position)
      if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
        throw new TroupeError('invalid_request', 'The cursor does not belong to this query. Begin again without one.')
      }
      return position
    },
  }
}
