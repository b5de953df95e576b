// The protocol has two generations. Until 2025-11-25 a client greets first (`initialize`) and then names the revision in a
// header. Since 2026-07-28 nobody greets: each request says in `_meta` which revision it speaks, its headers repeat what
// a proxy routes by, and `server/discover` tells what is offered. One door speaks both; a request shows which it is.
import type { IncomingHttpHeaders } from 'node:http'
import { VERSION } from '../../version.ts'
import { type Asked, RpcError } from './messages.ts'

const STATELESS = ['2026-07-28']
const GREETING = ['2025-11-25', '2025-06-18', '2025-03-26']

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'
const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities'
const SERVER_KEY = 'io.modelcontextprotocol/serverInfo'

/** Agents come and go with deployments: a list is good for so long. */
const LIST_TTL_MS = 60_000

const serverInfo = { name: 'troupe', title: 'Troupe', version: VERSION }
const capabilities = { tools: {} }
const instructions = `Each tool without "_" in its name is an agent. A call submits a task, which is durable: it will be done whatever crashes.
A call answers when the task has ended, or with state "running" when that takes long: call task_get with its taskId.
State "input-required" means that the agent waits for a person: ask the user, then call task_answer.`

export interface Revision {
  readonly stateless: boolean
  /** As this revision wants a result. */
  result(result: object): object
  /** As it wants one that may be kept for a while. */
  listed(result: object): object
}

const GREETED: Revision = { stateless: false, result: (result) => result, listed: (result) => result }

const SELF_CONTAINED: Revision = {
  stateless: true,
  result: (result) => ({ resultType: 'complete', _meta: { [SERVER_KEY]: serverInfo }, ...result }),
  // Not "public": a list shows what its reader's role may do.
  listed: (result) => ({ ttlMs: LIST_TTL_MS, cacheScope: 'private', ...result }),
}

export function revisionOf(asked: Asked, headers: IncomingHttpHeaders): Revision {
  const wanted = asked.params?._meta?.[VERSION_KEY]
  const header = headers['mcp-protocol-version']
  if (wanted === undefined && !STATELESS.includes(String(header))) {
    if (asked.method !== 'initialize' && header !== undefined && !GREETING.includes(String(header)))
      throw unknown(header)
    return GREETED
  }
  if (typeof wanted !== 'string') throw new RpcError('invalid_params', `_meta: ${VERSION_KEY} must be a string.`)
  if (!STATELESS.includes(wanted)) throw unknown(wanted)
  mustRepeat(headers, 'mcp-protocol-version', wanted)
  mustRepeat(headers, 'mcp-method', asked.method)
  if (asked.method === 'tools/call') mustRepeat(headers, 'mcp-name', String(asked.params?.name))
  if (typeof asked.params?._meta?.[CAPABILITIES_KEY] !== 'object') {
    throw new RpcError('invalid_params', `_meta: ${CAPABILITIES_KEY} must be an object.`)
  }
  return SELF_CONTAINED
}

/** What a client asks to learn whom it speaks to. `undefined`: it asks something else. */
export function greeting({ method, params }: Asked, revision: Revision): object | undefined {
  if (revision.stateless) {
    if (method !== 'server/discover') return undefined
    return revision.listed({ supportedVersions: STATELESS, capabilities, instructions })
  }
  if (method === 'ping') return {}
  if (method !== 'initialize') return undefined
  const wanted = params?.protocolVersion
  const protocolVersion = GREETING.find((version) => version === wanted) ?? GREETING[0]
  return { protocolVersion, capabilities, serverInfo, instructions }
}

/** A proxy that routes by a header must not be told something else than we are. */
function mustRepeat(headers: IncomingHttpHeaders, name: string, value: string): void {
  if (headers[name] === value) return
  const found = headers[name] === undefined ? 'is missing' : `is ${JSON.stringify(headers[name])}`
  throw new RpcError('header_mismatch', `The header ${name} ${found}; the body says ${JSON.stringify(value)}.`)
}

function unknown(requested: unknown): RpcError {
  const supported = [...STATELESS, ...GREETING]
  return new RpcError('unsupported_version', `The revision ${requested} is not spoken here.`, { supported, requested })
}
