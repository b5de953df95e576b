// From the request's headers to a principal: an API key, a token of ours, or a token of the trusted issuer.
import type { IncomingHttpHeaders } from 'node:http'
import { decodeJwt } from 'jose'
import { TroupeError } from '../../contract/errors.ts'
import { type ApiKeys, KEY_PREFIX } from './api-keys.ts'
import type { IssuerCheck } from './issuer.ts'
import type { OwnTokens } from './own-tokens.ts'
import type { Principal } from './principal.ts'

/** Browsers cannot set headers on a WebSocket: there the credential may travel as a subprotocol. */
export const WEBSOCKET_PROTOCOL = 'troupe.v1'
const WEBSOCKET_CREDENTIAL = 'troupe.bearer.'
/** Longer ones are refused unread: parsing them costs time. */
const MAX_CREDENTIAL = 8_192

/** Throws at once or later; gives a promise only where something has to be looked up or computed. */
export type Authenticate = (headers: IncomingHttpHeaders) => Principal | Promise<Principal>

export function createAuthenticate(parts: {
  keys: ApiKeys
  tokens: OwnTokens
  issuer: IssuerCheck | undefined
}): Authenticate {
  const { keys, tokens, issuer } = parts
  return (headers) => {
    const credential = credentialOf(headers)
    if (credential.startsWith(KEY_PREFIX)) return keys.check(credential)
    const from = issuerNamedBy(credential)
    if (from === tokens.issuer) return tokens.check(credential)
    if (issuer !== undefined && from === issuer.issuer) return issuer.check(credential)
    throw new TroupeError('unauthenticated', 'The token comes from an issuer that is not trusted here.')
  }
}

function credentialOf(headers: IncomingHttpHeaders): string {
  const given = fromAuthorization(headers.authorization) ?? fromApiKey(headers['x-api-key']) ?? fromWebSocket(headers)
  if (given === undefined || given === '') {
    throw new TroupeError('unauthenticated', 'The request carries no credential.')
  }
  if (given.length > MAX_CREDENTIAL) throw new TroupeError('unauthenticated', 'The credential is too long.')
  return given
}

function fromAuthorization(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  // Schemes compare without case (RFC 9110).
  if (header.length > 7 && header.slice(0, 7).toLowerCase() === 'bearer ') return header.slice(7).trim()
  throw new TroupeError('unauthenticated', 'The Authorization header must be `Bearer <key or token>`.')
}

function fromApiKey(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined
}

function fromWebSocket(headers: IncomingHttpHeaders): string | undefined {
  const offered = headers['sec-websocket-protocol']?.split(',') ?? []
  for (const protocol of offered) {
    const name = protocol.trim()
    if (name.startsWith(WEBSOCKET_CREDENTIAL)) return name.slice(WEBSOCKET_CREDENTIAL.length)
  }
  return undefined
}

/** Read without trust, only to choose who checks it. */
function issuerNamedBy(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    throw new TroupeError('unauthenticated', 'The credential is neither an API key nor a token.')
  }
}
