// What `troupe doctor` looks at: each check is independent of the others, takes seconds at most, and says what to do.
import { existsSync } from 'node:fs'
import { access, constants, stat, statfs } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { toTroupeError } from '../contract/errors.ts'
import { connectModels } from './models.ts'
import { claimPort } from './ports.ts'
import type { Settings } from './settings.ts'
import { readWhereabouts } from './whereabouts.ts'

export interface Finding {
  check: string
  /** `absent`: it is not configured, or not running, and that may be meant. */
  verdict: 'ok' | 'absent' | 'bad'
  found: string
  todo?: string
}

const PATIENCE_MS = 2_000
const LEAST_FREE_BYTES = 1024 ** 3

export async function diagnose(settings: Settings): Promise<Finding[]> {
  const running = await runningGateway(settings)
  const endpoint = settings.bucket?.endpoint
  const issuer = settings.gateway.issuer?.url
  return await Promise.all([
    checkNode(),
    checkFolder(settings.dataFolder),
    checkSpace(settings.dataFolder),
    checkKey(settings.dataFolder, running !== undefined),
    checkGateway(settings, running),
    checkModels(settings.dataFolder, running !== undefined),
    checkServer('Postgres', settings.postgresUrl, 5432, 'TROUPE_POSTGRES_URL'),
    checkServer('NATS', settings.natsUrl, 4222, 'TROUPE_NATS_URL'),
    checkServer('Redis', settings.redisUrl, 6379, 'TROUPE_REDIS_URL'),
    checkServer('bucket', endpoint, endpoint?.startsWith('http:') === true ? 80 : 443, 'TROUPE_BLOBS'),
    checkServer('issuer', issuer, issuer?.startsWith('http:') === true ? 80 : 443, 'TROUPE_ISSUER'),
    checkServer('OTLP collector', settings.otlpUrl, 4318, 'TROUPE_OTLP_URL'),
    checkLlm(settings),
  ])
}

async function checkNode(): Promise<Finding> {
  const found = process.version
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return { check: 'Node', verdict: 'ok', found }
  return { check: 'Node', verdict: 'bad', found, todo: 'Use Node 22.18 or later, or `npx troupe`.' }
}

async function checkFolder(folder: string): Promise<Finding> {
  const check = 'data folder'
  if (!existsSync(folder))
    return { check, verdict: 'absent', found: `${folder} does not exist; \`troupe up\` makes it` }
  try {
    await access(folder, constants.R_OK | constants.W_OK)
  } catch {
    const todo = 'Give it to this user, or choose another with --data.'
    return { check, verdict: 'bad', found: `${folder} cannot be written by this user`, todo }
  }
  const open = ((await stat(folder)).mode & 0o077) !== 0
  if (!open) return { check, verdict: 'ok', found: folder }
  return { check, verdict: 'bad', found: `other users can look into ${folder}`, todo: `chmod 700 ${folder}` }
}

async function checkSpace(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(existsSync(folder) ? folder : dirname(folder)).catch(() => statfs('.'))
  const free = bavail * bsize
  const found = `${(free / 1024 ** 3).toFixed(1)} GiB free`
  if (free >= LEAST_FREE_BYTES) return { check: 'disk', verdict: 'ok', found }
  return { check: 'disk', verdict: 'bad', found, todo: 'Free at least 1 GiB on the volume of the data folder.' }
}

async function checkKey(folder: string, running: boolean): Promise<Finding> {
  const path = join(folder, 'admin.key')
  const check = 'admin key'
  if (existsSync(path)) {
    const open = ((await stat(path)).mode & 0o077) !== 0
    if (!open) return { check, verdict: 'ok', found: path }
    return { check, verdict: 'bad', found: `other users can read ${path}`, todo: `chmod 600 ${path}` }
  }
  if (!running) return { check, verdict: 'absent', found: 'made by the first `troupe up`' }
  return {
    check,
    verdict: 'bad',
    found: `${path} is missing`,
    todo: 'Restart the gateway: `troupe restart troupe/core` makes it again.',
  }
}

/** A gateway that answers; `trouble`: why it takes no work. */
interface Running {
  url: string
  trouble?: { code: string; detail: string; fix: string }
}

async function runningGateway({ dataFolder }: Settings): Promise<Running | undefined> {
  const url = (await readWhereabouts(dataFolder))?.url
  if (url === undefined) return undefined
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PATIENCE_MS) })
    if (answer.ok) return { url }
    return { url, trouble: (await answer.json()) as NonNullable<Running['trouble']> }
  } catch (error) {
    // Whoever takes the connection and says nothing lives; otherwise it has ended since, or something else listens there.
    if ((error as Error).name !== 'TimeoutError') return undefined
    const detail = `no answer within ${PATIENCE_MS / 1_000} s`
    return { url, trouble: { code: 'unavailable', detail, fix: '`troupe tree` shows whether it hangs.' } }
  }
}

async function checkGateway({ host, port }: Settings, running: Running | undefined): Promise<Finding> {
  const check = 'gateway'
  if (running?.trouble !== undefined) {
    const { code, detail, fix } = running.trouble
    return { check, verdict: 'bad', found: `not ready at ${running.url}: ${code}: ${detail}`, todo: fix }
  }
  if (running !== undefined) return { check, verdict: 'ok', found: `ready at ${running.url}` }
  try {
    await claimPort(host, port)
    return { check, verdict: 'absent', found: `not running; ${host}:${port} is free`, todo: 'Start it: `troupe up`.' }
  } catch (error) {
    return {
      check,
      verdict: 'bad',
      found: toTroupeError(error).message,
      todo: `Start with another port: \`troupe up --port ${port + 1}\`.`,
    }
  }
}

async function checkModels(folder: string, running: boolean): Promise<Finding> {
  const check = 'inference'
  if (!running) return { check, verdict: 'absent', found: 'not running' }
  try {
    const models = await connectModels(folder)
    const all = await models.list().finally(() => models.close())
    const refused = all.filter(({ state, reason }) => state !== 'READY' && reason !== '')
    const moved = all.filter(({ state, reason }) => state === 'READY' && reason !== '')
    const ready = all.filter(({ state }) => state === 'READY')
    const found = `${ready.length} models ready: ${ready.map(({ name }) => name).join(', ') || 'none'}`
    if (refused.length === 0 && moved.length === 0) return { check, verdict: 'ok', found }
    const todo = [...refused, ...moved].map(({ name, version, reason }) => `${name} ${version}: ${reason}`).join('; ')
    return { check, verdict: 'bad', found: `${found}; ${refused.length} refused, ${moved.length} drifted`, todo }
  } catch (error) {
    return { check, verdict: 'bad', found: toTroupeError(error).message, todo: '`troupe tree` shows why it is down.' }
  }
}

async function checkServer(check: string, url: string | undefined, port: number, variable: string): Promise<Finding> {
  if (url === undefined) return { check, verdict: 'absent', found: `not configured (${variable})` }
  const { hostname, port: given } = new URL(url)
  const address = `${hostname}:${given === '' ? port : given}`
  const refused = await tryConnection(hostname, given === '' ? port : Number(given))
  if (refused === undefined) return { check, verdict: 'ok', found: `${address} answers` }
  return { check, verdict: 'bad', found: `${address}: ${refused}`, todo: `Start it, or correct ${variable}.` }
}

function tryConnection(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    // An IPv6 address stands in brackets in a URL alone.
    const socket = connect({ host: host.replace(/^\[(.+)\]$/, '$1'), port, timeout: PATIENCE_MS })
    const end = (why?: string) => {
      socket.destroy()
      resolve(why)
    }
    socket.once('connect', () => end())
    socket.once('timeout', () => end('no answer'))
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })
}

async function checkLlm({ llm }: Settings): Promise<Finding> {
  const check = 'language model'
  if (llm === undefined) {
    return { check, verdict: 'absent', found: 'not configured (TROUPE_LLM_BASE_URL): agents work offline' }
  }
  const { hostname, port, protocol } = new URL(llm.baseUrl)
  const refused = await tryConnection(hostname, port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port))
  if (refused === undefined) return { check, verdict: 'ok', found: `${llm.model} at ${hostname}` }
  return { check, verdict: 'bad', found: `${hostname}: ${refused}`, todo: 'Correct TROUPE_LLM_BASE_URL.' }
}
