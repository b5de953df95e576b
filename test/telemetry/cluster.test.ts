// One task, one trace, over NATS and Postgres with two hosts as processes, and after the death of one of them.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { type Installation, ROOT, startInstallation, temporaryFolder } from '../boot/installation.ts'
import { ownerOf } from '../support/owner.ts'
import { missing, startNats, startPostgres, type TestServer } from '../support/servers.ts'
import { type Collector, draw, startCollector } from './support/collector.ts'
import {
  assertConnected,
  assertTellsNoSecret,
  assertTellsTheIntake,
  isWhole,
  runIntake,
  SECRET,
  startLlm,
  tracingEnvironment,
} from './support/journey.ts'

const skip = missing('postgres') || missing('nats')

describe('traces of a cluster', { skip }, () => {
  let collector: Collector
  let llm: Awaited<ReturnType<typeof startLlm>>
  let postgres: TestServer
  let nats: TestServer
  let troupe: Installation

  before(async () => {
    ;[collector, llm, postgres, nats] = await Promise.all([startCollector(), startLlm(), startPostgres(), startNats()])
    troupe = await startInstallation({
      args: ['--postgres', postgres.url, '--nats', nats.url, '--hosts', '2'],
      env: {
        ...tracingEnvironment(collector, llm),
        TROUPE_AGENTS: join(ROOT, 'test', 'chaos', 'agents'),
        CHAOS_FOLDER: temporaryFolder(),
      },
    })
  })
  after(async () => {
    const code = await troupe?.stop()
    await Promise.all([collector?.stop(), llm?.stop(), postgres?.stop(), nats?.stop()])
    assert.equal(code, 0)
  })

  test('an intake is one connected tree through gateway, hosts and workers', { timeout: 240_000 }, async () => {
    const task = await runIntake(troupe)
    assert.equal(task.state, 'completed', JSON.stringify(task.output))
    await collector.until('the whole trace', isWhole)
    assertConnected(collector.spans)
    assertTellsTheIntake(collector.spans, 'postgresql')
    assertTellsNoSecret(collector.spans, [SECRET, troupe.key])
    const services = new Set(collector.spans.map(({ service }) => service))
    assert.deepEqual(services, new Set(['troupe-gateway', 'troupe-host', 'troupe-inference', 'troupe-retrieval']))
  })

  test('what a killed host had begun is told by its successor, and linked', { timeout: 240_000 }, async (t) => {
    const journal = await openPostgresJournal({ url: postgres.url })
    t.after(() => journal.close())
    collector.spans.length = 0
    const { id } = await troupe.call('POST', '/v1/tasks', { agent: 'chaos-ledger', input: { ms: 3_000 } })
    const ofTask = () =>
      collector.spans.filter(
        ({ attributes, name }) => attributes['troupe.task.id'] === id && name.startsWith('invoke_agent'),
      )
    await collector.until('its first step', (spans) => spans.some(({ name }) => name === 'step draw'))
    process.kill((await ownerOf(journal, id)).info.pid, 'SIGKILL')
    await collector.until('both incarnations', () => ofTask().length === 2)
    const [first, second] = ofTask().sort((left, right) => Number(left.start - right.start))
    const drawn = collector.spans.find(({ name }) => name === 'step draw')!
    assert.equal(drawn.parentId, first!.spanId, draw(collector.spans))
    assert.equal(first!.failed, true)
    assert.equal(first!.attributes['error.type'], 'owner_lost')
    assert.equal(second!.failed, false)
    assert.deepEqual(second!.links, [{ traceId: first!.traceId, spanId: first!.spanId }])
    assert.equal(second!.parentId, first!.parentId)
    assert.equal((await troupe.call('GET', `/v1/tasks/${id}`)).state, 'completed')
  })
})
