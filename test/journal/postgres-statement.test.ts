// How lanes ask: statements by pg's extension point instead of its own queries.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { newId } from '../../src/contract/ids.ts'
import { Line } from '../../src/journal/postgres/connection.ts'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { apply, commitOn, leased, loaded, owned, signal } from './contract/make.ts'

describe('A statement of a lane', { skip: missing('postgres') }, () => {
  let server: TestServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  function line(t: TestContext): Line {
    const opened = new Line({ url: server.url, schema: 'public', patienceMs: 20_000 }, [])
    t.after(() => opened.close({ text: 'SELECT 1' }))
    return opened
  }

  test('answers with its first row as text, absent values as null, and with nothing where there is no row', async (t) => {
    const asking = line(t)
    const echo = { name: 'echo', text: 'SELECT $1::text, $2::integer + 1, $3::boolean, $4::text WHERE $3::boolean' }
    const said = 'ö 😀 \\ "quoted"\n'
    assert.deepEqual(await asking.ask({ ...echo, values: [said, 41, true, null] }), [said, '42', 't', null])
    assert.deepEqual(await asking.ask({ ...echo, values: ['', -1, true, ''] }), ['', '0', 't', ''])
    assert.equal(await asking.ask({ ...echo, values: [said, 41, false, null] }), undefined)
    const large = 'x'.repeat(3_000_000)
    assert.deepEqual(await asking.ask({ ...echo, values: [large, 0, true, null] }), [large, '1', 't', null])
  })

  test('that was refused is asked again on the same connection', async (t) => {
    const asking = line(t)
    const divide = { name: 'divide', text: 'SELECT 12 / $1::integer, pg_backend_pid()' }
    // Refused when it ran: by then it is prepared. And refused as it stands: it is not.
    await assert.rejects(asking.ask({ ...divide, values: [0] }), { code: '22012' })
    await assert.rejects(asking.ask({ name: 'wrong', text: 'SELECT nothing', values: [] }), { code: '42703' })
    const [result, pid] = (await asking.ask({ ...divide, values: [3] }))!
    assert.equal(result, '4')
    assert.deepEqual(await asking.ask({ ...divide, values: [4] }), ['3', pid])
    await assert.rejects(asking.ask({ ...divide, values: [0] }), { code: '22012' })
    assert.deepEqual(await asking.ask({ ...divide, values: [6] }), ['2', pid])
  })

  test('is not answered by its row, but by its commit: what only that refuses has failed (P1)', async (t) => {
    const asking = line(t)
    await asking.ask({
      name: 'make',
      text: 'CREATE TABLE once (n integer UNIQUE DEFERRABLE INITIALLY DEFERRED)',
      values: [],
    })
    const insert = { name: 'insert', text: 'INSERT INTO once VALUES ($1::integer) RETURNING n' }
    assert.deepEqual(await asking.ask({ ...insert, values: [1] }), ['1'])
    await assert.rejects(asking.ask({ ...insert, values: [1] }), { code: '23505' })
    assert.deepEqual(await asking.ask({ name: 'count', text: 'SELECT count(*) FROM once', values: [] }), ['1'])
  })

  test('after its connection was cut goes over a new one, and is prepared there', async (t) => {
    const asking = line(t)
    const pid = { name: 'pid', text: 'SELECT pg_backend_pid()', values: [] }
    const [first] = (await asking.ask(pid))!
    asking.cut()
    const [second] = (await asking.ask(pid))!
    assert.notEqual(second, first)
    assert.deepEqual(await asking.ask(pid), [second])
  })

  test('takes names of every shape in its lists', async (t) => {
    const journal = await openPostgresJournal({ url: server.url })
    t.after(() => journal.close())
    const { hostId } = await leased(journal, 'host "a", \\b\\ {c} NULL')
    const ids = ['{', 'a,b', '"', '\\', '\\"', 'NULL', ' ', "'"].map((shape) => `${newId('task')}${shape}`)
    // In company, so that hosts, receivers and the tasks with timers travel as lists.
    const tasks = await Promise.all(ids.map((id) => owned(journal, hostId, { id })))
    const commits = tasks.map((task, n) => {
      const messages = [signal(ids[(n + 1) % ids.length]!, 'hello')]
      return apply(journal, commitOn(task, { messages, timersSet: [{ id: 'soon', inMs: 0 }] }))
    })
    for (const { version, woken } of await Promise.all(commits)) assert.deepEqual([version, woken.length], [2, 1])
    const { woken } = await journal.fireTimers(100)
    assert.deepEqual(new Set(woken.map(({ taskId }) => taskId)), new Set(ids))
    for (const id of ids) assert.equal((await loaded(journal, id)).mail.length, 2)
  })
})
