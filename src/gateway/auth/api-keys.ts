// API keys: `trp_` and 256 random bits. Only their sha256 is kept; the key itself is shown once, when it is made.
import { hash, randomBytes } from 'node:crypto'
import { TroupeError } from '../../contract/errors.ts'
import { newId } from '../../contract/ids.ts'
import { BoundedCache } from '../bounded-cache.ts'
import type { GatewayStore, KeyRow } from '../store/store.ts'
import { type Principal, type Role, TENANT_NAME } from './principal.ts'

export const KEY_PREFIX = 'trp_'
const KEY = /^trp_[A-Za-z0-9_-]{43}$/

/** A key revoked on another gateway works here for at most this long. */
const REMEMBERED_MS = 5_000
const REMEMBERED = 10_000

export interface NewKey {
  tenant: string
  name: string
  role: Role
  createdBy: string
  expiresAt?: number
  requestsPerSecond?: number
}

export interface ApiKeys {
  /** The principal of a key, at once when it was asked for a moment ago; or `unauthenticated`, at once or later. */
  check(secret: string): Principal | Promise<Principal>
  /** As `check`, for the key behind a token of ours: a revoked key's tokens end with it. */
  checkId(keyId: string): Promise<Principal>
  create(key: NewKey): Promise<{ key: KeyRow; secret: string }>
  list(tenant: string, page: { before?: string; limit: number }): Promise<KeyRow[]>
  revoke(tenant: string, id: string): Promise<void>
}

export function createApiKeys(store: GatewayStore, now: () => number = Date.now): ApiKeys {
  const byHash = new BoundedCache<KeyRow>({ size: REMEMBERED, ttlMs: REMEMBERED_MS, now })
  const byId = new BoundedCache<KeyRow>({ size: REMEMBERED, ttlMs: REMEMBERED_MS, now })

  async function lookUp(digest: string): Promise<Principal> {
    const row = await store.keyByHash(digest)
    // Unknown keys are not remembered: guesses would push the real ones out.
    if (row !== undefined) byHash.set(digest, row)
    return principalOf(row, now())
  }

  return {
    check(secret) {
      if (!KEY.test(secret)) throw refusal()
      const digest = hashOf(secret)
      const known = byHash.get(digest)
      return known === undefined ? lookUp(digest) : principalOf(known, now())
    },

    async checkId(keyId) {
      let row = byId.get(keyId)
      if (row === undefined) {
        row = await store.keyById(keyId)
        if (row !== undefined) byId.set(keyId, row)
      }
      return principalOf(row, now())
    },

    async create(wanted) {
      if (!TENANT_NAME.test(wanted.tenant)) {
        throw new TroupeError(
          'invalid_request',
          `The tenant ${JSON.stringify(wanted.tenant)} must be 1 to 63 of a–z, 0–9, _ and -, and begin with a letter or digit.`,
        )
      }
      if (wanted.expiresAt !== undefined && wanted.expiresAt <= now()) {
        throw new TroupeError('invalid_request', `expiresAt: ${new Date(wanted.expiresAt).toISOString()} has passed.`)
      }
      const secret = newSecret()
      const key = rowOf(wanted, secret, now())
      await store.addKey(key)
      return { key, secret }
    },

    list: (tenant, page) => store.keys(tenant, page),

    async revoke(tenant, id) {
      const revoked = await store.revokeKey(tenant, id, now())
      byHash.deleteWhere((row) => row.id === id && row.tenant === tenant)
      byId.deleteWhere((row) => row.id === id && row.tenant === tenant)
      if (!revoked) throw new TroupeError('not_found', `There is no active key ${id}.`)
    },
  }
}

export function newSecret(): string {
  return KEY_PREFIX + randomBytes(32).toString('base64url')
}

export function isSecret(text: string): boolean {
  return KEY.test(text)
}

export function hashOf(secret: string): string {
  return hash('sha256', secret)
}

export function rowOf(wanted: NewKey, secret: string, createdAt: number): KeyRow {
  return { ...wanted, id: newId('key'), hash: hashOf(secret), createdAt }
}

function principalOf(row: KeyRow | undefined, now: number): Principal {
  // One message for every reason: an attacker learns nothing about which keys exist.
  if (row === undefined || row.revokedAt !== undefined || (row.expiresAt !== undefined && row.expiresAt <= now)) {
    throw refusal()
  }
  const principal: Principal = {
    tenant: row.tenant,
    role: row.role,
    subject: row.id,
    limitId: row.id,
    keyId: row.id,
  }
  if (row.requestsPerSecond !== undefined) principal.requestsPerSecond = row.requestsPerSecond
  return principal
}

function refusal(): TroupeError {
  return new TroupeError('unauthenticated', 'The API key is unknown, revoked or expired.')
}
