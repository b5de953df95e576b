// What an operator may set. The boot files read the environment; here are only names, meanings and defaults.
import type { Role } from './auth/principal.ts'

export interface GatewayConfig {
  /** Where callers reach this gateway; the issuer of its own tokens. Default: `http://troupe.local`. */
  publicUrl: string
  /** The tenant whose operators and admins look after the platform itself: its tree, other tenants' keys and quotas. */
  platformTenant: string
  /** Whether the console is served at /console; its files are public. */
  console: boolean
  /** Origins whose web pages may call the API; none by default. */
  corsOrigins: string[]
  /** Addresses and networks of proxies. Of a connection from one of them, the caller’s address is in X-Forwarded-For. */
  trustedProxies: string[]
  /** Requests a second, by key and by tenant. A key may carry a rate of its own. */
  requestsPerSecond: { key: number; tenant: number }
  /** Failed authentications a second from one address before it has to wait. */
  failedLoginsPerSecond: number
  /** Counters in Redis, shared by all gateways; memory otherwise, and as insurance. */
  redisUrl?: string
  /** The largest document, in bytes. */
  maxDocumentBytes: number
  /** Bytes of JSON bodies and answers held at a time, until the reader has taken them; beyond, `overloaded`. */
  maxHeldBodyBytes: number
  /** Headers must have arrived within this. */
  slowHeadersMs: number
  /** A body must make progress in every such window (limits/slow-bodies.ts) … */
  slowBodyMs: number
  /** … and have arrived within this, however steadily it drips. */
  slowRequestMs: number
  /** The longest `Prefer: wait`, in seconds. */
  maxWaitSeconds: number
  /** Streams (SSE and WebSocket) open at a time, on this gateway and for one tenant. */
  maxStreams: { gateway: number; tenant: number }
  /** Bytes that wait for a slow reader of a stream before it is told and dropped. */
  streamBufferBytes: number
  /** A reader that takes nothing for this long is dropped. */
  slowReaderMs: number
  /** At a drain: so long it answers on while it is not ready. For load balancers; 0 where there is none. */
  unreadyMs: number
  /** Tokens of this issuer are accepted. */
  issuer?: TrustedIssuer
  /** JSON file with the screening policy; see screening/policy.ts. */
  policyFile?: string
  /** Every answer is compared with its schema; a deviation is a 500. For tests: it costs time. */
  checkAnswers: boolean
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent'
}

export interface TrustedIssuer {
  /** As it stands in the token's `iss`. */
  url: string
  audience: string
  /** Absent: found through `<url>/.well-known/openid-configuration`. */
  jwksUrl?: string
  /** Asymmetric ones only; a symmetric algorithm here would let anyone with the public key sign. */
  algorithms?: string[]
  /** Claims that name tenant and role: a name, or a JSON pointer. Defaults: `tenant`, `role`. */
  tenantClaim?: string
  roleClaim?: string
  /** The role of a token without one. Absent: such a token is refused. */
  defaultRole?: Role
}

export const GATEWAY_DEFAULTS: GatewayConfig = {
  publicUrl: 'http://troupe.local',
  platformTenant: 'default',
  console: true,
  corsOrigins: [],
  trustedProxies: [],
  requestsPerSecond: { key: 10_000, tenant: 20_000 },
  failedLoginsPerSecond: 50,
  maxDocumentBytes: 256 * 1024 * 1024,
  maxHeldBodyBytes: 256 * 1024 * 1024,
  // Long enough for a packet that is lost twice in a row.
  slowHeadersMs: 5_000,
  slowBodyMs: 5_000,
  slowRequestMs: 3_600_000,
  maxWaitSeconds: 120,
  maxStreams: { gateway: 10_000, tenant: 5_000 },
  streamBufferBytes: 1024 * 1024,
  slowReaderMs: 30_000,
  unreadyMs: 0,
  checkAnswers: false,
  logLevel: 'info',
}
