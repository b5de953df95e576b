// The gateway's process under load while each server behind it goes away and comes back.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Cluster, startCluster } from '../chaos/cluster.ts'
import { missing, startNats, startPostgres, startRedis, type TestServer } from '../support/servers.ts'

const skip = missing('postgres') || missing('nats') || missing('redis')
const AGENTS = join(import.meta.dirname, '..', '..', 'bench', 'systems', 'agents')
const CALLERS = 8
const PATIENCE_MS = 60_000

const moment = (ms: number) => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms))

interface Answered {
  status: number
  code: string | undefined
  id: string | undefined
  retryAfter: string | null
}

describe('a gateway process whose servers come and go', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-survives-'))
  let servers: { postgres: TestServer; nats: TestServer; redis: TestServer }
  let cluster: Cluster

  before(async () => {
    const [postgres, nats, redis] = await Promise.all([startPostgres(), startNats(), startRedis()])
    servers = { postgres, nats, redis }
    cluster = await startCluster(servers, { folder, natsStore: folder, hosts: 1, agents: AGENTS, proxied: false })
  })
  after(async () => {
    await cluster?.stop()
    for (const server of Object.values(servers ?? {})) await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const headers = () => ({ authorization: `Bearer ${cluster.key}`, 'content-type': 'application/json' })

  async function submit(): Promise<Answered> {
    const body = JSON.stringify({ agent: 'noop', input: { n: 1 } })
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const answer = await fetch(`${cluster.url}/v1/tasks`, { method: 'POST', headers: headers(), body, signal })
    const json = (await answer.json()) as { id?: string; code?: string }
    return { status: answer.status, code: json.code, id: json.id, retryAfter: answer.headers.get('retry-after') }
  }

  async function ended(id: string): Promise<string> {
    const signal = AbortSignal.timeout(PATIENCE_MS)
    const wait = { ...headers(), prefer: 'wait=30' }
    const answer = await fetch(`${cluster.url}/v1/tasks/${id}`, { headers: wait, signal })
    return ((await answer.json()) as { state: string }).state
  }

  /** Callers that submit without a pause while `disturb` runs, and once more after it. */
  async function underLoad(disturb: (answers: Answered[]) => Promise<void>): Promise<Answered[]> {
    const answers: Answered[] = []
    let over = false
    const callers = Array.from({ length: CALLERS }, async () => {
      while (!over) {
        const answer = await submit()
        answers.push(answer)
        if (answer.status !== 202) await moment(20)
      }
    })
    const disturbed = disturb(answers).finally(() => {
      over = true
    })
    // A caller that got no answer at all fails at once.
    await Promise.all([disturbed, ...callers])
    return answers
  }

  async function until(condition: () => boolean): Promise<void> {
    const giveUp = performance.now() + PATIENCE_MS
    while (!condition()) {
      if (performance.now() > giveUp) throw new Error('it did not come')
      await moment(20)
    }
  }

  const accepted = (answers: Answered[]) => answers.filter(({ status }) => status === 202).length

  async function survives(disturb: (answers: Answered[]) => Promise<void>): Promise<Answered[]> {
    const answers = await underLoad(disturb)
    for (const { status, code, retryAfter } of answers) {
      if (status === 202) continue
      assert.equal(status, 503, `${status} ${code}`)
      assert.ok(['journal_unavailable', 'unavailable', 'overloaded'].includes(String(code)), code)
      assert.match(String(retryAfter), /^[1-9]/)
    }
    for (const { id } of answers.filter(({ status }) => status === 202).slice(-20)) {
      assert.equal(await ended(id!), 'completed')
    }
    const deaths = cluster.events.filter(({ path, type }) => path.endsWith('gateway') && type !== 'child_started')
    assert.deepEqual(deaths, [], cluster.said.join('\n'))
    return answers
  }

  for (const mode of ['gentle', 'kill'] as const) {
    test(`Postgres restarted (${mode}): refusals are coded 503s with Retry-After, and it goes on`, async () => {
      await survives(async (answers) => {
        await until(() => accepted(answers) >= 50)
        await servers.postgres.restart(mode)
        const before = accepted(answers)
        await until(() => accepted(answers) >= before + 50)
      })
    })
  }

  test('Postgres away for longer: newcomers are refused at once, and served again when it is back', async () => {
    const answers = await survives(async (answers) => {
      await until(() => accepted(answers) >= 50)
      await servers.postgres.down('kill')
      const wentAt = performance.now()
      // Whoever came first waits: it might be back in a moment. Soon after, nobody is let in to wait as well.
      const early: Promise<Answered>[] = []
      let refused: Answered | undefined
      while (refused === undefined && performance.now() - wentAt < 8_000) {
        const newcomer = submit()
        early.push(newcomer)
        const answer = await Promise.race([newcomer, moment(500)])
        // What a process of the killed server still commits for a moment is accepted.
        if (answer?.status !== 202) refused = answer
      }
      assert.equal(refused?.status, 503)
      // Once the key's answer is no longer remembered, it is the login that says so.
      assert.match(String(refused?.code), /^(journal_)?unavailable$/)
      await servers.postgres.restart()
      const before = accepted(answers)
      await until(() => accepted(answers) >= before + 50)
      answers.push(...(await Promise.all(early)))
    })
    assert.ok(answers.some(({ status }) => status === 503))
  })

  test('NATS away: submissions are accepted all the while, and done when it is back', async () => {
    const answers = await survives(async (answers) => {
      await until(() => accepted(answers) >= 50)
      await servers.nats.down('kill')
      const before = accepted(answers)
      await until(() => accepted(answers) >= before + 50)
      await servers.nats.restart()
      const back = accepted(answers)
      await until(() => accepted(answers) >= back + 50)
    })
    assert.equal(accepted(answers), answers.length)
  })

  test('Redis away: nobody notices', async () => {
    const answers = await survives(async (answers) => {
      await until(() => accepted(answers) >= 50)
      await servers.redis.down('kill')
      const before = accepted(answers)
      await until(() => accepted(answers) >= before + 50)
      await servers.redis.restart()
      const back = accepted(answers)
      await until(() => accepted(answers) >= back + 50)
    })
    assert.equal(accepted(answers), answers.length)
  })
})
