// Short tokens that this gateway issues for an API key (OAuth2 client credentials). All gateways on one store share
// the signing key, so any of them accepts what another issued.
import { generateKeyPairSync } from 'node:crypto'
import { type CryptoKey, exportJWK, importJWK, type JWK, jwtVerify, SignJWT } from 'jose'
import { TroupeError } from '../../contract/errors.ts'
import { newId } from '../../contract/ids.ts'
import type { GatewayStore } from '../store/store.ts'
import type { ApiKeys } from './api-keys.ts'
import type { Principal } from './principal.ts'

const ALGORITHM = 'EdDSA'
const AUDIENCE = 'troupe'
export const TOKEN_SECONDS = 600

export interface OwnTokens {
  readonly issuer: string
  /** The public keys, for others who want to check our tokens. */
  readonly jwks: { keys: JWK[] }
  issue(principal: Principal): Promise<{ token: string; seconds: number }>
  check(token: string): Promise<Principal>
}

export async function createOwnTokens(store: GatewayStore, keys: ApiKeys, issuer: string): Promise<OwnTokens> {
  const kept = JSON.parse(await store.secret('token-signing-key', newSigningKey())) as JWK
  const privateKey = (await importJWK(kept, ALGORITHM)) as CryptoKey
  const { d: _, ...publicJwk } = kept
  const publicKey = (await importJWK(publicJwk, ALGORITHM)) as CryptoKey
  const kid = `troupe-${String(kept.x).slice(0, 12)}`

  return {
    issuer,
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid, alg: ALGORITHM, use: 'sig' }] },

    async issue(principal) {
      if (principal.keyId === undefined) throw new TroupeError('forbidden', 'Only an API key can be exchanged.')
      const token = await new SignJWT({ tenant: principal.tenant, role: principal.role })
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'at+jwt' })
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setSubject(principal.keyId)
        .setJti(newId('key'))
        .setIssuedAt()
        .setExpirationTime(`${TOKEN_SECONDS}s`)
        .sign(privateKey)
      return { token, seconds: TOKEN_SECONDS }
    },

    async check(token) {
      let subject: string | undefined
      try {
        const checks = { issuer, audience: AUDIENCE, algorithms: [ALGORITHM], typ: 'at+jwt', clockTolerance: 5 }
        subject = (await jwtVerify(token, publicKey, { ...checks, requiredClaims: ['exp', 'sub'] })).payload.sub
      } catch (error) {
        throw new TroupeError('unauthenticated', 'The token is not valid.', { cause: error })
      }
      // The key decides, not the claims: a token never outlives its key's revocation or keeps an old role.
      return await keys.checkId(subject ?? '')
    },
  }
}

function newSigningKey(): string {
  return JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }))
}
