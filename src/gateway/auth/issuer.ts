// Tokens of the issuer an operator trusts. The algorithm is chosen by us, never by the token; keys come only from the
// issuer's key set, never from the token's own header (`jwk`, `jku`, `x5u` and paths in `kid` mean nothing here).
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { TroupeError } from '../../contract/errors.ts'
import type { TrustedIssuer } from '../config.ts'
import { isRole, type Principal, TENANT_NAME } from './principal.ts'

const ASYMMETRIC = /^(RS|PS|ES)(256|384|512)$|^EdDSA$|^Ed25519$/
const DEFAULT_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const FETCH_MS = 3_000
/** A key that is missing makes us look for a rotated set, at most this often. */
const LOOK_AGAIN_MS = 5_000

export interface IssuerCheck {
  readonly issuer: string
  check(token: string): Promise<Principal>
}

export function createIssuerCheck(trusted: TrustedIssuer): IssuerCheck {
  const algorithms = trusted.algorithms ?? DEFAULT_ALGORITHMS
  for (const algorithm of algorithms) {
    if (ASYMMETRIC.test(algorithm)) continue
    throw new TroupeError(
      'configuration_invalid',
      `The issuer’s algorithm ${algorithm} is refused: only asymmetric ones are safe with a public key set.`,
    )
  }
  let keySet: JWTVerifyGetKey | undefined

  async function keysOf(): Promise<JWTVerifyGetKey> {
    if (keySet !== undefined) return keySet
    const url = trusted.jwksUrl ?? (await discover(trusted.url))
    keySet = createRemoteJWKSet(new URL(url), { timeoutDuration: FETCH_MS, cooldownDuration: LOOK_AGAIN_MS })
    return keySet
  }

  return {
    issuer: trusted.url,
    async check(token) {
      let payload: JWTPayload
      try {
        const expected = { issuer: trusted.url, audience: trusted.audience, algorithms, clockTolerance: 5 }
        const verified = await jwtVerify(token, await keysOf(), { ...expected, requiredClaims: ['exp', 'sub'] })
        payload = verified.payload
      } catch (error) {
        throw refusalOf(error, trusted.url)
      }
      return principalOf(payload, trusted)
    },
  }
}

async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const answer = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS), redirect: 'error' })
  const document = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown }
  if (document.issuer !== issuer || typeof document.jwks_uri !== 'string') {
    throw new TroupeError('unavailable', `${url} does not describe the issuer ${issuer}.`)
  }
  return document.jwks_uri
}

function refusalOf(error: unknown, issuer: string): TroupeError {
  if (error instanceof TroupeError) return error
  const aboutToken =
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    error.code !== 'ERR_JOSE_GENERIC'
  // jose throws a TypeError for a key that does not fit the token's algorithm: the token's fault as well.
  const misfit = error instanceof TypeError && (error as { cause?: unknown }).cause === undefined
  if (aboutToken || misfit) return new TroupeError('unauthenticated', 'The token is not valid.', { cause: error })
  return new TroupeError('unavailable', `The keys of the issuer ${issuer} cannot be read.`, { cause: error })
}

function principalOf(payload: JWTPayload, trusted: TrustedIssuer): Principal {
  const tenant = payload[trusted.tenantClaim ?? 'tenant']
  const role = payload[trusted.roleClaim ?? 'role'] ?? trusted.defaultRole
  if (typeof tenant !== 'string' || !TENANT_NAME.test(tenant)) {
    throw new TroupeError('forbidden', `The token’s claim ${trusted.tenantClaim ?? 'tenant'} does not name a tenant.`)
  }
  if (!isRole(role)) {
    throw new TroupeError('forbidden', `The token’s claim ${trusted.roleClaim ?? 'role'} does not name a role.`)
  }
  const subject = `${trusted.url}|${payload.sub}`
  return { tenant, role, subject, limitId: `${tenant}|${subject}` }
}
