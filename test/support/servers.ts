// Real servers for tests, each on a free loopback port in a temporary folder: startPostgres, startNats, startRedis.
// An address in the environment comes first, then a program on the machine, then (Debian, root) apt-get.
// `missing(name)` says why a server cannot be had, in the form that node:test's `skip` wants; under CI=true a missing
// server is a failure, because a suite that was not run must not look green.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { findProgram, freePort, installPackage, launch, PLAIN_USER, type ServerProcess } from './server-process.ts'

export type ServerName = 'postgres' | 'redis' | 'nats'

const SERVERS = {
  postgres: { variable: 'TROUPE_TEST_POSTGRES_URL', program: 'postgres', debian: 'postgresql' },
  redis: { variable: 'TROUPE_TEST_REDIS_URL', program: 'redis-server', debian: 'redis-server' },
  nats: { variable: 'TROUPE_TEST_NATS_URL', program: 'nats-server', debian: 'nats-server' },
} as const

const reasons = new Map<ServerName, string | false>()

/** `test('…', { skip: missing('postgres') }, …)` */
export function missing(name: ServerName): string | false {
  let reason = reasons.get(name)
  if (reason === undefined) {
    const { variable, program, debian } = SERVERS[name]
    if (process.env[variable] !== undefined || findProgram(program) !== undefined) reason = false
    else reason = installPackage(debian) ?? false
    reasons.set(name, reason)
  }
  if (reason !== false && process.env.CI === 'true') throw new Error(`NOT RUN under CI: ${reason}`)
  return reason
}

export interface TestServer {
  url: string
  /** `undefined`: the server was named by the environment and is not ours to stop. */
  pid: number | undefined
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
  /** Ends the server and starts it again with the same data on the same port. */
  restart(mode?: 'gentle' | 'kill'): Promise<void>
  /** Ends the server; `restart` brings it back. */
  down(mode?: 'gentle' | 'kill'): Promise<void>
}

/** fsync is on. The database is empty. */
export async function startPostgres(): Promise<TestServer> {
  const given = process.env.TROUPE_TEST_POSTGRES_URL
  if (given !== undefined) return databaseOn(given)
  const program = need('postgres')
  const folder = temporaryFolder('postgres')
  const data = join(folder, 'data')
  cpSync(postgresTemplate(program), data, { recursive: true })
  // Postgres refuses a data folder that others may read.
  chmodSync(data, 0o700)
  giveAway(folder)
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'max_connections=60']
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  const start = () => launch({ program, args, folder, ready: /ready to accept connections/ })
  return owned(`postgres://postgres@127.0.0.1:${port}/postgres`, folder, start, 'SIGINT')
}

export interface NatsOptions {
  jetstream?: boolean
  /** Kept when the server stops. */
  storeDir?: string
  /** Lines for the configuration file. */
  config?: string
}

export async function startNats({ jetstream = true, storeDir, config = '' }: NatsOptions = {}): Promise<TestServer> {
  const given = process.env.TROUPE_TEST_NATS_URL
  if (given !== undefined && config === '' && storeDir === undefined) return foreign(given)
  const program = need('nats')
  const folder = temporaryFolder('nats')
  const port = await freePort()
  const store = storeDir ?? join(folder, 'store')
  const lines = [`listen: "127.0.0.1:${port}"`, config]
  if (jetstream) lines.push(`jetstream { store_dir: ${JSON.stringify(store)} }`)
  const file = join(folder, 'nats.conf')
  writeFileSync(file, lines.join('\n'))
  mkdirSync(store, { recursive: true })
  giveAway(folder)
  if (storeDir !== undefined) giveAway(storeDir)
  const start = () => launch({ program, args: ['-c', file], folder, ready: /Server is ready/ })
  return owned(`nats://127.0.0.1:${port}`, folder, start, 'SIGTERM')
}

export interface RedisOptions {
  appendfsync?: 'always' | 'everysec' | 'no'
}

export async function startRedis({ appendfsync = 'everysec' }: RedisOptions = {}): Promise<TestServer> {
  const given = process.env.TROUPE_TEST_REDIS_URL
  if (given !== undefined) return foreign(given)
  const program = need('redis')
  const folder = temporaryFolder('redis')
  giveAway(folder)
  const port = await freePort()
  const settings = { bind: '127.0.0.1', port, dir: folder, save: '', appendonly: 'yes', appendfsync }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  const start = () => launch({ program, args, folder, ready: /Ready to accept connections/ })
  return owned(`redis://127.0.0.1:${port}`, folder, start, 'SIGTERM')
}

function need(name: ServerName): string {
  const reason = missing(name)
  const program = findProgram(SERVERS[name].program)
  if (reason !== false || program === undefined) throw new Error(reason || `${name} is not installed`)
  return program
}

async function owned(
  url: string,
  folder: string,
  start: () => Promise<ServerProcess>,
  gentle: NodeJS.Signals,
): Promise<TestServer> {
  let running: ServerProcess | undefined = await start()
  const server: TestServer = {
    url,
    pid: running.pid,
    async down(mode = 'gentle') {
      await running?.end(mode === 'gentle' ? gentle : 'SIGKILL')
      running = undefined
      server.pid = undefined
    },
    async restart(mode) {
      await server.down(mode)
      running = await start().catch(start)
      server.pid = running.pid
    },
    async stop() {
      await running?.end(gentle)
      running = undefined
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return server
}

function foreign(url: string, stop: () => Promise<void> = async () => {}): TestServer {
  const refuse = async () => {
    throw new Error(`${url} was named by the environment and is not ours to restart`)
  }
  return { url, pid: undefined, stop, restart: refuse, down: refuse }
}

/** A database of its own on a server that the environment names. */
async function databaseOn(url: string): Promise<TestServer> {
  const name = `troupe_test_${randomBytes(6).toString('hex')}`
  const ask = async (sql: string) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(sql)
    await client.end()
  }
  await ask(`CREATE DATABASE ${name}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  return foreign(own.href, () => ask(`DROP DATABASE ${name} WITH (FORCE)`))
}

/** initdb costs a second or more, a copy of what it made a tenth of that; the copy is kept where caches are kept. */
function postgresTemplate(program: string): string {
  const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).replace(/[^0-9.]+/g, '-')
  const cache = join(import.meta.dirname, '../../node_modules/.cache/troupe')
  const template = join(cache, `postgres${version}`)
  if (existsSync(template)) return template
  const folder = temporaryFolder('initdb')
  giveAway(folder)
  const made = join(folder, 'data')
  const args = ['-D', made, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  execFileSync(join(dirname(realpathSync(program)), 'initdb'), args, {
    cwd: folder,
    stdio: 'ignore',
    env: {},
    ...PLAIN_USER,
  })
  mkdirSync(cache, { recursive: true })
  const arriving = `${template}.${process.pid}`
  cpSync(made, arriving, { recursive: true })
  rmSync(folder, { recursive: true })
  try {
    renameSync(arriving, template)
  } catch {
    // Another test was first.
    rmSync(arriving, { recursive: true })
  }
  return template
}

function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `troupe-${name}-`))
}

function giveAway(folder: string): void {
  if (PLAIN_USER.uid === undefined) return
  execFileSync('chown', ['-R', `${PLAIN_USER.uid}:${PLAIN_USER.gid}`, folder])
}
