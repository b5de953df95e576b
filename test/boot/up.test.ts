// `troupe up`, embedded, as processes: what survives the death of each of them.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { gone, type Installation, lives, runTroupe, startInstallation, temporaryFolder } from './installation.ts'

let troupe: Installation

before(async () => {
  troupe = await startInstallation()
})
after(() => troupe.stop())

const text =
  'Minutes of the meeting of 3 March 2025. Present: Ada Lovelace and Charles Babbage. The budget is 1,200 EUR.'

async function submit(count: number): Promise<string[]> {
  const body = { agent: 'document-analyzer', input: { document: { text, name: 'minutes.txt' } } }
  const tasks = await Promise.all(Array.from({ length: count }, () => troupe.call('POST', '/v1/tasks', body)))
  return tasks.map((task) => task.id)
}

async function ended(id: string): Promise<string> {
  for await (const _ of followed(id)) {
    // The log ends with the task.
  }
  return (await troupe.call('GET', `/v1/tasks/${id}`)).state
}

async function* followed(id: string) {
  const { createClient } = await import('../../src/cli/client.ts')
  yield* createClient(troupe.url, troupe.key).follow(id, 0)
}

test('the tree shows three processes that run, in the order of their start', async () => {
  const { tree } = await troupe.call('GET', '/v1/supervision')
  assert.equal(tree.id, 'troupe')
  assert.deepEqual(
    tree.children.map((child: { id: string; state: string }) => [child.id, child.state]),
    [
      ['inference', 'running'],
      ['retrieval', 'running'],
      ['core', 'running'],
    ],
  )
})

test('core killed with tasks in flight: it serves again at its address, and every task completes', async (t) => {
  const ids = await submit(10)
  const before = await troupe.child('core')
  process.kill(before.facts.pid, 'SIGKILL')
  const killedAt = performance.now()
  await gone(before.facts.pid)
  for (;;) {
    const ready = await fetch(`${troupe.url}/readyz`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) break
  }
  t.diagnostic(`serving again after ${Math.round(performance.now() - killedAt)} ms`)
  const states = await Promise.all(ids.map(ended))
  assert.deepEqual(new Set(states), new Set(['completed']))
  const now = await troupe.child('core')
  assert.equal(now.restarts, before.restarts + 1)
  assert.notEqual(now.facts.pid, before.facts.pid)
})

test('a worker killed is started again where it was, and its clients find it', async () => {
  const put = { documents: [{ documentId: 'one', text: 'The lighthouse keeper polishes the lens every evening.' }] }
  assert.equal((await troupe.call('POST', '/v1/collections/shore/documents', put)).passages, 1)
  const { facts, restarts } = await troupe.child('retrieval')
  process.kill(facts.pid, 'SIGKILL')
  const search = { query: 'lighthouse', mode: 'lexical' }
  const { passages } = await troupe.call('POST', '/v1/collections/shore/search', search)
  assert.equal(passages[0].documentId, 'one')
  assert.equal((await troupe.child('retrieval')).restarts, restarts + 1)
})

test('a child is restarted on order, in good order and without a crash', async () => {
  const before = await troupe.child('inference')
  await troupe.call('POST', '/v1/supervision/troupe%2Finference/restart')
  await troupe.saying(/inference was restarted on order/)
  assert.notEqual((await troupe.child('inference')).facts.pid, before.facts.pid)
  const unknown = await troupe.call('POST', '/v1/supervision/troupe%2Fnobody/restart')
  assert.equal(unknown.code, 'not_found')
})

test('a second `troupe up` on the same folder is refused in one clear line', async () => {
  const { code, out, err } = await runTroupe(['--data', troupe.data, 'up', '--port', '0'])
  assert.equal(code, 4)
  assert.equal(out, '')
  assert.match(err, /^journal_locked: .* is in use by another process\. .+$/m)
  assert.equal((await troupe.call('GET', '/readyz')).status, 'ready')
})

test('a port that is taken is named, and nothing is left running', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const folder = temporaryFolder()
  const { code, err } = await runTroupe(['--data', folder, 'up', '--port', String(port)])
  server.close()
  rmSync(folder, { recursive: true })
  assert.equal(code, 4)
  assert.match(err, new RegExp(`^address_in_use: Port ${port} of 127\\.0\\.0\\.1 is taken\\..*--port`, 'm'))
})

test('a root that is killed takes its children along, and the folder can be used again', async () => {
  const folder = temporaryFolder()
  const first = await startInstallation({ data: folder })
  const { tree } = await first.call('GET', '/v1/supervision')
  const pids = tree.children.map((child: { facts: { pid: number } }) => child.facts.pid)
  first.root.kill('SIGKILL')
  const second = await startInstallation({ data: folder })
  await Promise.all(pids.map(gone))
  assert.equal((await second.call('GET', '/readyz')).status, 'ready')
  const { tree: next } = await second.call('GET', '/v1/supervision')
  assert.equal(await second.stop(), 0)
  rmSync(folder, { recursive: true })
  assert.deepEqual(
    next.children.map((child: { facts: { pid: number } }) => lives(child.facts.pid)),
    [false, false, false],
  )
})
