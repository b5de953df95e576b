// Who asks: a tenant, a role in it, and a name for the audit trail. Everything behind authentication knows only this.
//   principal.ts      this file: principals, roles, names of tenants
//   authenticate.ts   from a request's headers to a principal
//   api-keys.ts       keys: made, checked, revoked
//   admin-key.ts      the key that the first start makes
//   own-tokens.ts     short tokens for a key (OAuth2 client credentials)
//   issuer.ts         tokens of an issuer that the operator trusts
import { TroupeError } from '../../contract/errors.ts'

/** Each role may do what the ones before it may. */
export const ROLES = ['viewer', 'submitter', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

export interface Principal {
  tenant: string
  role: Role
  /** Goes into the audit trail: `key_…`, or `<issuer>|<subject>`. */
  subject: string
  /** Rate limits count by this. */
  limitId: string
  /** A rate of its own, in requests a second. */
  requestsPerSecond?: number
  /** The API key behind it, when there is one. */
  keyId?: string
}

/** Also a token of a NATS subject and a part of cache keys: no dots, no wildcards, no spaces. */
export const TENANT_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/

export function isRole(value: unknown): value is Role {
  return typeof value === 'string' && (ROLES as readonly string[]).includes(value)
}

export function mayActAs(principal: Principal, needed: Role): boolean {
  return ROLES.indexOf(principal.role) >= ROLES.indexOf(needed)
}

export function requireRole(principal: Principal, needed: Role): void {
  if (mayActAs(principal, needed)) return
  throw new TroupeError('forbidden', `This needs the role ${needed}; the key has the role ${principal.role}.`)
}
