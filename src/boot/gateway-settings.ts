// What an operator may set of the gateway (gateway/config.ts): whose tokens it takes, which pages and proxies it knows,
// how often and how much, how long. Only what is set is told; the defaults are the gateway's own.
import { isIP } from 'node:net'
import { TroupeError } from '../contract/errors.ts'
import { ROLES } from '../gateway/auth/principal.ts'
import { GATEWAY_DEFAULTS, type GatewayConfig, type TrustedIssuer } from '../gateway/config.ts'
import { list, number, onOff, positive, type Text, url } from './setting-values.ts'

const WEB = ['https:', 'http:']

export function gatewaySettings(text: Text): Partial<GatewayConfig> {
  const { requestsPerSecond, maxStreams, maxDocumentBytes, maxWaitSeconds, slowRequestMs, unreadyMs } = GATEWAY_DEFAULTS
  const settings: Partial<GatewayConfig> = {
    console: onOff(text('TROUPE_CONSOLE'), 'TROUPE_CONSOLE', GATEWAY_DEFAULTS.console),
    corsOrigins: list(text('TROUPE_CORS_ORIGINS')).map(origin),
    trustedProxies: list(text('TROUPE_PROXIES')).map(network),
    requestsPerSecond: {
      key: positive(text, 'TROUPE_RATE_KEY', requestsPerSecond.key),
      tenant: positive(text, 'TROUPE_RATE_TENANT', requestsPerSecond.tenant),
    },
    maxStreams: {
      gateway: positive(text, 'TROUPE_STREAMS', maxStreams.gateway),
      tenant: positive(text, 'TROUPE_STREAMS_TENANT', maxStreams.tenant),
    },
    maxDocumentBytes: positive(text, 'TROUPE_DOCUMENT_BYTES', maxDocumentBytes),
    maxWaitSeconds: positive(text, 'TROUPE_WAIT_SECONDS', maxWaitSeconds),
    slowRequestMs: positive(text, 'TROUPE_SLOW_REQUEST_MS', slowRequestMs),
    unreadyMs: number(text('TROUPE_UNREADY_MS'), 'TROUPE_UNREADY_MS', unreadyMs),
  }
  const publicUrl = url(text('TROUPE_PUBLIC_URL'), 'TROUPE_PUBLIC_URL', WEB)
  if (publicUrl !== undefined) settings.publicUrl = publicUrl.replace(/\/+$/, '')
  const issuer = issuerOf(text)
  if (issuer !== undefined) settings.issuer = issuer
  return settings
}

function issuerOf(text: Text): TrustedIssuer | undefined {
  // Exactly as it stands in the tokens: a slash at its end is part of it.
  const issuer = url(text('TROUPE_ISSUER'), 'TROUPE_ISSUER', WEB)
  const more = {
    audience: text('TROUPE_ISSUER_AUDIENCE'),
    jwksUrl: url(text('TROUPE_ISSUER_JWKS_URL'), 'TROUPE_ISSUER_JWKS_URL', WEB),
    algorithms: algorithms(text('TROUPE_ISSUER_ALGORITHMS')),
    tenantClaim: text('TROUPE_ISSUER_TENANT_CLAIM'),
    roleClaim: text('TROUPE_ISSUER_ROLE_CLAIM'),
    defaultRole: role(text('TROUPE_ISSUER_DEFAULT_ROLE')),
  }
  const set = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined))
  if (issuer === undefined) {
    if (Object.keys(set).length === 0) return undefined
    throw invalid('TROUPE_ISSUER_… is set without TROUPE_ISSUER: whose tokens are meant?')
  }
  const { audience } = more
  // Without one, a token that the issuer made for any other service would open this one.
  if (audience === undefined) throw invalid('TROUPE_ISSUER needs TROUPE_ISSUER_AUDIENCE, the `aud` of tokens for here.')
  return { ...set, url: issuer, audience }
}

function algorithms(names: string | undefined): string[] | undefined {
  return names === undefined ? undefined : list(names)
}

function role(name: string | undefined) {
  const known = ROLES.find((one) => one === name)
  if (name === undefined || known !== undefined) return known
  throw invalid(`TROUPE_ISSUER_DEFAULT_ROLE is ${name}; it must be one of ${ROLES.join(', ')}.`)
}

function origin(text: string): string {
  if (URL.canParse(text) && WEB.includes(new URL(text).protocol) && new URL(text).origin === text) return text
  throw invalid(`TROUPE_CORS_ORIGINS: ${text} is no origin like https://console.example.`)
}

/** Never all of them: whoever reaches the gateway would choose the address that his failed logins are counted by. */
function network(text: string): string {
  const [address = '', bits, ...rest] = text.split('/')
  const most = isIP(address) === 4 ? 32 : 128
  const isNetwork = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= most)
  if (isIP(address) !== 0 && isNetwork && rest.length === 0) return text
  throw invalid(`TROUPE_PROXIES: ${text} is no address or network like 10.0.0.7 or 10.0.0.0/8.`)
}

function invalid(message: string): TroupeError {
  return new TroupeError('configuration_invalid', message)
}
