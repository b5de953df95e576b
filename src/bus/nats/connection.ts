// The connection: made at once or refused with the reason within five seconds; afterwards kept for ever.
import { readFileSync } from 'node:fs'
import {
  AuthorizationError,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
  UserAuthenticationExpiredError,
} from '@nats-io/transport-node'
import { TroupeError } from '../../contract/errors.ts'

export interface NatsOptions {
  /** `nats://user:password@host:4222`; several, separated by commas. */
  url: string
  /** Begins every subject, stream and consumer; default `troupe`. Two installations may share a server. */
  prefix?: string
  /** A .creds file. */
  credentialsFile?: string
  tls?: { caFile?: string; certFile?: string; keyFile?: string }
}

export interface Connection {
  readonly nats: NatsConnection
  readonly connected: boolean
  readonly detail: string
}

const CONNECT_MS = 4_000
const RECONNECTING = 'reconnecting to NATS'

export async function connectNats(options: NatsOptions): Promise<Connection> {
  const nats = await connectOnce(options)
  const state = { connected: true, trouble: RECONNECTING }
  void watch(nats, state)
  return {
    nats,
    get connected() {
      return state.connected && !nats.isClosed()
    },
    get detail() {
      return state.connected ? `connected to ${nats.getServer()}` : state.trouble
    },
  }
}

async function connectOnce(options: NatsOptions): Promise<NatsConnection> {
  const servers = options.url.split(',').map((url) => url.trim())
  const settings: ConnectionOptions = {
    servers: servers.map(withoutPassword),
    name: 'troupe',
    timeout: CONNECT_MS,
    maxReconnectAttempts: -1,
    // Where credentials are changed, server and clients have the new ones at different moments: two refusals in a row
    // would close the connection for good.
    ignoreAuthErrorAbort: true,
    // A server that came back must not be felled by everybody at once.
    reconnectDelayHandler: () => 200 + Math.random() * 800,
    ...passwordOf(servers[0]!),
  }
  if (options.credentialsFile !== undefined)
    settings.authenticator = credsAuthenticator(readFileSync(options.credentialsFile))
  if (options.tls !== undefined) settings.tls = options.tls
  try {
    return await connect(settings)
  } catch (error) {
    const where = servers.map(withoutPassword).join(', ')
    if (isRefusal(error)) {
      throw new TroupeError('configuration_invalid', `The NATS server ${where} refused the credentials.`, {
        cause: error,
      })
    }
    const reason = (error as Error).message
    throw new TroupeError('bus_unavailable', `NATS at ${where} cannot be reached: ${reason}.`, { cause: error })
  }
}

async function watch(nats: NatsConnection, state: { connected: boolean; trouble: string }): Promise<void> {
  for await (const status of nats.status()) {
    if (status.type === 'disconnect') state.connected = false
    if (status.type === 'error' && isRefusal(status.error)) state.trouble = 'NATS refuses the credentials; trying again'
    if (status.type === 'reconnect') Object.assign(state, { connected: true, trouble: RECONNECTING })
  }
  state.connected = false
}

function isRefusal(error: unknown): boolean {
  return error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return url
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}

function passwordOf(url: string): { user?: string; pass?: string; token?: string } {
  if (!URL.canParse(url)) return {}
  const { username, password } = new URL(url)
  if (username === '') return {}
  const user = decodeURIComponent(username)
  return password === '' ? { token: user } : { user, pass: decodeURIComponent(password) }
}
