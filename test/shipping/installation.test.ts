// The roles as the image runs them: the compose file's commands and settings, an unprivileged user who can write
// nothing but the data folder and /tmp, Postgres and NATS beside them. What rules and dashboard ask for is really told.
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chmodSync, chownSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { startInstallation } from '../boot/installation.ts'
import { eventually } from '../support/eventually.ts'
import { findProgram, freePort } from '../support/server-process.ts'
import { missing, startNats, startPostgres, type TestServer } from '../support/servers.ts'
import { compose, metricsOf, named, queries, ROOT, rules, text } from './manifests.ts'

const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
const ROLES = ['inference', 'retrieval', 'host', 'gateway'] as const
type Role = (typeof ROLES)[number]

interface Running {
  child: ChildProcess
  said(): string
  /** Where it is probed and scraped. */
  url: string
}

describe('the roles, as the image runs them', { skip: missing('postgres') || missing('nats') }, () => {
  let postgres: TestServer
  let nats: TestServer
  let folder: string
  const running = new Map<Role, Running>()

  before(async () => {
    ;[postgres, nats] = await Promise.all([startPostgres(), startNats()])
    folder = mkdtempSync(join(tmpdir(), 'troupe-image-'))
    chmodSync(folder, 0o711)
    const ports = await Promise.all(Array.from({ length: 7 }, () => freePort()))
    const [gatewayPort, inferencePort, retrievalPort, ...metricsPorts] = ports
    for (const [index, role] of ROLES.entries()) {
      // What the compose file sets, at addresses of this machine; what the Dockerfile sets, below.
      const settings = Object.fromEntries(
        Object.entries<string>(compose.services[role].environment).filter(([name]) => name !== 'TROUPE_OTLP_URL'),
      )
      const data = join(folder, role)
      execFileSync('mkdir', ['-m', '700', data])
      if (isRoot) chownSync(data, NOBODY, NOBODY)
      const env = {
        PATH: process.env.PATH ?? '',
        HOME: '/nonexistent',
        TMPDIR: tmpdir(),
        ...(process.env.TROUPE_TEST_RUN === undefined ? {} : { TROUPE_TEST_RUN: process.env.TROUPE_TEST_RUN }),
        NODE_ENV: 'production',
        TROUPE_MODELS: join(ROOT, 'models'),
        ...settings,
        TROUPE_DATA: data,
        TROUPE_PORT: String(gatewayPort),
        TROUPE_POSTGRES_URL: postgres.url,
        TROUPE_NATS_URL: nats.url,
        TROUPE_REDIS_URL: '',
        TROUPE_INFERENCE_URL: `127.0.0.1:${inferencePort}`,
        TROUPE_RETRIEVAL_URL: `127.0.0.1:${retrievalPort}`,
        TROUPE_METRICS_ADDRESS: `127.0.0.1:${metricsPorts[index]}`,
        ...(role === 'inference' ? { TROUPE_INFERENCE_ADDRESS: `127.0.0.1:${inferencePort}` } : {}),
        ...(role === 'retrieval' ? { TROUPE_RETRIEVAL_ADDRESS: `127.0.0.1:${retrievalPort}` } : {}),
      }
      const [, ...args] = compose.services[role].command as string[]
      const as = isRoot ? { uid: NOBODY, gid: NOBODY } : {}
      const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'], ...as })
      let said = ''
      child.stderr.setEncoding('utf8').on('data', (piece: string) => {
        said += piece
      })
      const url = `http://127.0.0.1:${role === 'gateway' ? gatewayPort : metricsPorts[index]}`
      running.set(role, { child, url, said: () => said })
    }
    await Promise.all([...running.values()].map(untilReady))
  })
  after(async () => {
    for (const { child } of running.values()) if (child.exitCode === null) child.kill('SIGKILL')
    await Promise.all([postgres?.stop(), nats?.stop()])
    rmSync(folder, { recursive: true, force: true })
  })

  const key = () => readFileSync(join(folder, 'gateway', 'admin.key'), 'utf8').trim()
  const scrape = async (role: Role) => await (await fetch(`${running.get(role)!.url}/metrics`)).text()

  async function run(agent: string, input: object) {
    const response = await fetch(`${running.get('gateway')!.url}/v1/tasks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key()}`, 'content-type': 'application/json', prefer: 'wait=60' },
      body: JSON.stringify({ agent, input }),
    })
    return (await response.json()) as { state: string; error?: unknown }
  }

  test('nobody can write the code that runs', { skip: !isRoot && 'the checkout belongs to this user' }, () => {
    const script = `try { require('node:fs').accessSync(${JSON.stringify(ROOT)}, ${constants.W_OK}) } catch { process.exit(7) }`
    assert.throws(() => execFileSync(process.execPath, ['-e', script], { uid: NOBODY, gid: NOBODY }), { status: 7 })
    accessSync(ROOT, constants.R_OK)
  })

  test('the console is there', async () => {
    for (const file of ['', 'console.js']) {
      assert.equal((await fetch(`${running.get('gateway')!.url}/console/${file}`)).status, 200)
    }
    assert.ok(!text('.dockerignore').split('\n').includes('web'), 'the build of the image leaves it out')
  })

  test('each agent does its work', async () => {
    const rows = 'order,region,revenue\n1,North,10\n2,South,20\n3,North,30\n'
    const dataset = { text: rows }
    for (const [agent, input] of [
      ['document-analyzer', { document: { text: 'Dear Ada, the rent of € 950 is due on 1 May 2026. Yours, Grace' } }],
      ['business-intelligence', { dataset, question: 'total revenue by region' }],
      ['quality-assurance', { dataset }],
    ] as const) {
      const { state, error } = await run(agent, input)
      assert.equal(state, 'completed', `${agent}: ${JSON.stringify(error)}\n${running.get('host')!.said()}`)
    }
  })

  test('every metric that a rule or the dashboard asks for is told by a running process', async () => {
    const told = new Set<string>()
    const embedded = await startInstallation()
    try {
      const { facts } = (await embedded.child('inference')) as unknown as { facts: { metrics: string } }
      const alone = await fetch(`http://${facts.metrics}/metrics`)
      assert.equal(alone.status, 200, 'the tree of `troupe up` says where a worker is scraped')
      const texts = [await alone.text(), await (await fetch(`${embedded.url}/metrics`)).text()]
      for (const role of ROLES) texts.push(await scrape(role))
      for (const scraped of texts) for (const [, name] of scraped.matchAll(/^# TYPE (\S+) \w+$/gm)) told.add(name!)
    } finally {
      await embedded.stop()
    }
    const asked = new Set([...rules.map(({ expr }) => expr), ...queries].flatMap(metricsOf))
    assert.ok(asked.size > 25)
    const untold = [...asked].filter((name) => !told.has(name) && !told.has(name.replace(/_(bucket|sum|count)$/, '')))
    assert.deepEqual(untold, [])
    const guide = text('docs/guides/monitoring.md')
    assert.deepEqual(
      [...told].filter((name) => !guide.includes(`\`${name}\``)),
      [],
      'the guide lists every metric',
    )
  })

  test('the work that was done shows: by agent, state and step, on hosts and in the gateway', async () => {
    const host = await scrape('host')
    assert.match(host, /^troupe_tasks_ended_total\{agent="quality-assurance",state="completed",code=""\} 1$/m)
    assert.match(host, /^troupe_step_duration_seconds_count\{agent="document-analyzer",outcome="ok"\} [1-9]/m)
    assert.match(host, /^troupe_journal_commit_seconds_count [1-9]/m)
    assert.match(host, /^troupe_lease_remaining_seconds [12]/m)
    // Counted by whoever accepts it: the host that the gateway entrusts it to, or the gateway itself.
    const accepted = /^troupe_tasks_submitted_total\{agent="business-intelligence",from="door"\} 1$/m
    const counted = [host, await scrape('gateway')].filter((told) => accepted.test(told))
    assert.equal(counted.length, 1)
    assert.match(
      await scrape('inference'),
      /^troupe_inference_compute_seconds_count\{model="[a-z-]+",version="\d+"\} [1-9]/m,
    )
  })

  test('the consumers that the scaler watches exist in JetStream', async () => {
    const connection = await connect({ servers: nats.url })
    const manager = await jetstreamManager(connection)
    const real = (await manager.consumers.list('TROUPE_OFFERS').next()).map(({ name }) => name)
    await connection.close()
    for (const { metadata } of named('ScaledObject', 'host').spec.triggers) assert.ok(real.includes(metadata.consumer))
  })

  test('promtool takes the rules, and they fire when they should', { skip: noPromtool() }, () => {
    const promtool = findProgram('promtool')!
    execFileSync(promtool, ['check', 'rules', join(ROOT, 'k8s', 'monitoring', 'alerts.yaml')])
    const cases = join(folder, 'cases.yaml')
    writeFileSync(
      cases,
      text('test/shipping/alerts.promtool.yaml').replace('ALERTS', join(ROOT, 'k8s', 'monitoring', 'alerts.yaml')),
    )
    execFileSync(promtool, ['test', 'rules', cases], { stdio: 'pipe' })
  })

  test('while Postgres is away the gateway is scraped and says so, and it is not ready; then all is well again', async (t) => {
    if (postgres.pid === undefined) return t.skip('the server was named by the environment and is not ours to stop')
    const says = (value: 0 | 1) =>
      eventually(`the gateway says ${value}`, async () =>
        new RegExp(`^troupe_journal_up ${value}$`, 'm').test(await scrape('gateway')),
      )
    await postgres.down()
    await says(0)
    assert.equal((await fetch(`${running.get('gateway')!.url}/readyz`)).status, 503)
    await postgres.restart()
    await says(1)
    await Promise.all([...running.values()].map(untilReady))
    assert.equal((await run('quality-assurance', { dataset: { text: 'a,b\n1,2\n3,4\n' } })).state, 'completed')
  })

  test('SIGTERM drains each of them, and each exits 0', async () => {
    for (const role of [...ROLES].reverse()) {
      const { child, said } = running.get(role)!
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const [code] = await gone
      assert.equal(code, 0, `${role}:\n${said()}`)
    }
  })
})

function noPromtool(): string | false {
  return findProgram('promtool') === undefined && 'promtool (Debian: prometheus) is not installed'
}

async function untilReady({ child, url, said }: Running): Promise<void> {
  await eventually(`${url} is ready`, async () => {
    assert.equal(child.exitCode, null, said())
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    return answer?.ok === true
  })
}
