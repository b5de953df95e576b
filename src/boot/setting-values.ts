// Values out of the environment's texts; what is wrong is refused by the name of its setting.
import { TroupeError } from '../contract/errors.ts'

export type Environment = Record<string, string | undefined>

/** The text of a setting; an empty one counts as absent. */
export type Text = (name: string) => string | undefined

export function textOf(environment: Environment): Text {
  return (name) => {
    const value = environment[name]?.trim()
    return value === '' ? undefined : value
  }
}

export function list(text = ''): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

export function number(text: string | undefined, name: string, fallback: number): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0) return value
  throw new TroupeError('configuration_invalid', `${name} is ${text}; it must be a whole number.`)
}

/** A bound: none of them may be 0. */
export function positive(text: Text, name: string, fallback: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = number(text(name), name, fallback)
  if (value > 0 && value <= most) return value
  const bound = value === 0 ? 'at least 1' : `at most ${most}`
  throw new TroupeError('configuration_invalid', `${name} is ${value}; it must be ${bound}.`)
}

export function onOff(text: string | undefined, name: string, fallback: boolean): boolean {
  if (text === undefined) return fallback
  if (text === 'on' || text === 'off') return text === 'on'
  throw new TroupeError('configuration_invalid', `${name} is ${text}; it must be on or off.`)
}

export function url(text: string | undefined, name: string, protocols: string[]): string | undefined {
  if (text === undefined) return undefined
  const protocol = URL.canParse(text) ? new URL(text).protocol : undefined
  if (protocol !== undefined && protocols.includes(protocol)) return text
  // The value may hold a password; only its name is told.
  throw new TroupeError(
    'configuration_invalid',
    `${name} is not an address that begins with ${protocols.join(' or ')}//.`,
  )
}

/** Connections of each pool of a process to Postgres; undefined: as many as it thinks right. */
export function postgresPool(text: Text): number | undefined {
  const name = 'TROUPE_POSTGRES_POOL'
  return text(name) === undefined ? undefined : positive(text, name, 1, 1_000)
}

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export function logLevelOf(text: Text, fallback: LogLevel): LogLevel {
  const given = text('TROUPE_LOG') ?? fallback
  const found = LOG_LEVELS.find((known) => known === given)
  if (found !== undefined) return found
  throw new TroupeError('configuration_invalid', `TROUPE_LOG is ${given}; it must be one of ${LOG_LEVELS.join(', ')}.`)
}

/** Where a process listens: an IPv6 address stands in brackets, and is listened on without them. */
export function hostAndPort(address: string, name: string): { host: string; port: number } {
  const at = address.lastIndexOf(':')
  const host = address.slice(0, at).replace(/^\[(.+)\]$/, '$1')
  const port = Number(address.slice(at + 1))
  if (at > 0 && address.length > at + 1 && Number.isInteger(port) && port >= 0 && port <= 65_535) return { host, port }
  throw new TroupeError('configuration_invalid', `${name} is ${address}; it must be host:port.`)
}

/** Milliseconds that running work gets when a process is told to stop: of every role. */
export function graceOf(text: Text): number {
  return number(text('TROUPE_GRACE_MS'), 'TROUPE_GRACE_MS', 10_000)
}
