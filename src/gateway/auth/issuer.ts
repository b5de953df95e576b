// Tokens of the issuer an operator trusts. The algorithm is chosen by us, never by the token; keys come only from the
// issuer's key set, never from the token's own header (`jwk`, `jku`, `x5u` and paths in `kid` mean nothing here).
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import { TroupeError } from '../../contract/errors.ts'
import type { TrustedIssuer } from '../config.ts'
import { isRole, type Principal, ROLES, TENANT_NAME } from './principal.ts'

const ASYMMETRIC = /^(RS|PS|ES)(256|384|512)$|^EdDSA$|^Ed25519$/
const DEFAULT_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const FETCH_MS = 3_000
/** A key that is missing makes us look for a rotated set, at most this often. */
const LOOK_AGAIN_MS = 5_000
/** A gateway starts without its issuer: it is asked once, and waited for no longer than this. */
const FIRST_LOOK_MS = 1_000

type KeySet = ReturnType<typeof createRemoteJWKSet>

export interface IssuerCheck {
  readonly issuer: string
  check(token: string): Promise<Principal>
  /** Before the first token. Throws what no waiting heals; gives what may pass: why the keys cannot be read now. */
  look(): Promise<TroupeError | undefined>
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
  for (const url of [trusted.url, trusted.jwksUrl ?? trusted.url]) refuseUnsafe(url)
  let found: Promise<KeySet> | undefined

  /** One search for all who wait, and after a failure a rest: nobody can make us ask the issuer with every token. */
  function keysOf(): Promise<KeySet> {
    if (found !== undefined) return found
    const search = find()
    found = search
    search.catch(() => {
      setTimeout(() => {
        found = undefined
      }, LOOK_AGAIN_MS).unref()
    })
    return search
  }

  async function find(): Promise<KeySet> {
    const url = trusted.jwksUrl ?? (await discover(trusted.url))
    return createRemoteJWKSet(new URL(url), { timeoutDuration: FETCH_MS, cooldownDuration: LOOK_AGAIN_MS })
  }

  async function readKeys(): Promise<TroupeError | undefined> {
    try {
      await (await keysOf()).reload()
      return undefined
    } catch (error) {
      if (error instanceof TroupeError && error.code === 'configuration_invalid') throw error
      if (error instanceof errors.JWKSInvalid) throw misdescribed(`${trusted.jwksUrl ?? trusted.url} has no key set.`)
      return refusalOf(error, trusted.url)
    }
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
    async look() {
      const { promise: late, resolve } = Promise.withResolvers<TroupeError>()
      const silent = new TroupeError('unavailable', `The issuer ${trusted.url} is silent for ${FIRST_LOOK_MS} ms.`)
      const timer = setTimeout(() => resolve(silent), FIRST_LOOK_MS)
      const read = readKeys().finally(() => clearTimeout(timer))
      return await Promise.race([read, late])
    },
  }
}

/** Who can change a key set on its way makes himself admin. */
function refuseUnsafe(url: string): void {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))) return
  throw misdescribed(`${url} must begin with https://: anyone on the way could put in keys of his own.`)
}

function misdescribed(why: string): TroupeError {
  return new TroupeError('configuration_invalid', `The trusted issuer: ${why}`)
}

async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const answer = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS), redirect: 'error' })
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`)
  const document = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown } | null
  if (document?.issuer !== issuer) {
    // Often a slash at the end: then no token of his would be accepted, ever.
    throw misdescribed(`${url} describes ${JSON.stringify(document?.issuer)?.slice(0, 200)}, not ${issuer}.`)
  }
  if (typeof document.jwks_uri !== 'string' || !URL.canParse(document.jwks_uri)) {
    throw misdescribed(`${url} names no jwks_uri.`)
  }
  refuseUnsafe(document.jwks_uri)
  return document.jwks_uri
}

function refusalOf(error: unknown, issuer: string): TroupeError {
  if (error instanceof TroupeError) return new TroupeError('unavailable', error.message, { cause: error })
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
  const tenant = claimAt(payload, trusted.tenantClaim ?? 'tenant')
  const role = roleOf(claimAt(payload, trusted.roleClaim ?? 'role')) ?? trusted.defaultRole
  if (typeof tenant !== 'string' || !TENANT_NAME.test(tenant)) {
    throw new TroupeError('forbidden', `The token’s claim ${trusted.tenantClaim ?? 'tenant'} does not name a tenant.`)
  }
  if (!isRole(role)) {
    throw new TroupeError('forbidden', `The token’s claim ${trusted.roleClaim ?? 'role'} does not name a role.`)
  }
  const subject = `${trusted.url}|${payload.sub}`
  return { tenant, role, subject, limitId: `${tenant}|${subject}` }
}

/** A name is one at the top of the token, whatever dots it has; what begins with `/` is a JSON pointer (RFC 6901). */
function claimAt(payload: JWTPayload, claim: string): unknown {
  if (!claim.startsWith('/')) return payload[claim]
  const steps = claim
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  return steps.reduce<unknown>((at, step) => {
    return typeof at === 'object' && at !== null && Object.hasOwn(at, step)
      ? (at as Record<string, unknown>)[step]
      : undefined
  }, payload)
}

/** Of a list, which names the roles of other programs too, the highest that is one of ours. */
function roleOf(claim: unknown): unknown {
  return Array.isArray(claim) ? ROLES.findLast((role) => claim.includes(role)) : claim
}
