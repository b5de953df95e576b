// Labels, batches and callbacks from the command line, against a whole installation that is killed meanwhile.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Installation, ROOT, startInstallation, temporaryFolder } from '../boot/installation.ts'
import { isSigned, type Receiver, startReceiver } from '../webhooks/receiver.ts'

let troupe: Installation
let receiver: Receiver

before(async () => {
  receiver = await startReceiver()
  const policy = join(temporaryFolder(), 'policy.json')
  writeFileSync(policy, JSON.stringify({ webhooks: { private: [receiver.url], pauses: [0.2, 0.2, 0.2] } }))
  troupe = await startInstallation({
    env: { TROUPE_POLICY: policy, TROUPE_AGENTS: join(ROOT, 'test', 'boot', 'agents') },
  })
})
after(async () => {
  await troupe.stop()
  await receiver[Symbol.asyncDispose]()
})

const lineOf = (text: string) => JSON.stringify({ document: { text } })

test('submit-many gives an id for each line, and says on stderr what was refused', async () => {
  const lines = [lineOf('Ada met Charles.'), '', '{"document": 7}', lineOf('Grace met Howard.')].join('\n')
  const many = ['tasks', 'submit-many', 'document-analyzer', '-', '--label', 'run=first', '--key-prefix', 'night']
  const first = await troupe.troupe(many, lines)
  assert.equal(first.code, 2)
  assert.match(first.out, /^task_\w+\ntask_\w+\n$/)
  assert.match(first.err, /^line 3: invalid_input: /m)
  assert.equal((await troupe.troupe(many, lines)).out, first.out, 'the same lines are the same tasks')
  const listed = await troupe.troupe(['tasks', 'ls', '--label', 'run=first', '--json'])
  assert.equal(JSON.parse(listed.out).tasks.length, 2)
  assert.equal(JSON.parse((await troupe.troupe(['tasks', 'ls', '--label', 'run=other', '--json'])).out).tasks.length, 0)
  assert.match((await troupe.troupe(['tasks', 'show', first.out.split('\n')[0]!])).out, /^labels +run=first$/m)
  assert.equal((await troupe.troupe(['tasks', 'ls', '--label', 'run'])).code, 2)
})

test('cancel-many says how many before it does it', async () => {
  const three = ['{}', '{}', '{}'].join('\n')
  await troupe.troupe(['tasks', 'submit-many', 'waiter', '-', '--label', 'run=second'], three)
  await troupe.troupe(['tasks', 'submit-many', 'waiter', '-', '--label', 'run=third'], '{}')
  const filter = ['tasks', 'cancel-many', '--label', 'run=second', '--agent', 'waiter']
  assert.equal((await troupe.troupe([...filter, '--dry-run'])).out, '3 tasks would be cancelled\n')
  assert.equal((await troupe.troupe([...filter, '--reason', 'a test'])).out, '3 of 3 tasks will be cancelled\n')
  for (let look = 0; ; look++) {
    const { tasks } = await troupe.call('GET', '/v1/tasks?label=run:second')
    const states = tasks.map(({ state }: { state: string }) => state)
    if (states.every((state: string) => state === 'cancelled')) break
    assert.ok(look < 200, states.join())
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const [other] = (await troupe.call('GET', '/v1/tasks?label=run:third')).tasks
  assert.equal(other.state, 'input-required')
  assert.equal((await troupe.troupe(['tasks', 'cancel-many'])).code, 2)
})

test('an answer to what a task asked at an event is refused when it has gone on since', async () => {
  const [{ id, lastEvent }] = (await troupe.call('GET', '/v1/tasks?label=run:third')).tasks
  const answer = (event: number) => troupe.troupe(['tasks', 'message', id, 'go', '{}', '--event', String(event)])
  const early = await answer(lastEvent - 1)
  assert.match(early.err, new RegExp(`^precondition_failed: ${id} is at event ${lastEvent}, no longer at`, 'm'))
  assert.equal((await answer(lastEvent)).code, 0)
  assert.notEqual((await answer(lastEvent)).code, 0)
})

test('a task’s end is told although the core was killed before anybody took it', async () => {
  const secret = (await troupe.troupe(['webhooks', 'secret'])).out.trim()
  // The receiver takes nothing until the core that did the task is dead.
  receiver.answers.push(503)
  const args = ['submit', 'document-analyzer', lineOf('Ada met Charles in London.'), '--wait', '--json']
  const { id } = JSON.parse((await troupe.troupe([...args, '--callback', receiver.url])).out)
  await receiver.count(1)
  const { facts } = await troupe.child('core')
  process.kill(facts.pid, 'SIGKILL')
  await receiver.count(2)
  const last = receiver.received.at(-1)!
  assert.ok(isSigned(last, secret))
  assert.equal(last.body.type, 'task.completed')
  assert.equal(last.body.data.id, id)
  assert.ok(last.body.data.output.entities.length > 0)
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1)
  for (let look = 0; ; look++) {
    const shown = await troupe.troupe(['tasks', 'deliveries', id])
    if (/task\.completed +completed/.test(shown.out)) break
    assert.ok(look < 50, shown.out + shown.err)
  }
})

test('a webhook is made, told, listed and removed; what it does not take is told as an alert', async () => {
  const made = await troupe.troupe(['webhooks', 'create', receiver.url, '--event', 'task.completed'])
  assert.equal(made.code, 0, made.err)
  const [, id] = /^(hook_\w+): /.exec(made.err)!
  assert.match((await troupe.troupe(['webhooks', 'ls'])).out, new RegExp(`^${id} +http://127.* +task.completed`, 'm'))
  const before = receiver.received.length
  receiver.answers.push(500, 500, 500, 500)
  const task = await troupe.troupe(['submit', 'document-analyzer', lineOf('Ada met Charles.'), '--wait', '--json'])
  await receiver.count(before + 4)
  const shown = await troupe.troupe(['webhooks', 'remove', id!])
  assert.equal(shown.code, 0, shown.err)
  for (let look = 0; ; look++) {
    const { deliveries } = await troupe.call('GET', `/v1/tasks/${JSON.parse(task.out).id}/deliveries`)
    if (deliveries[0]?.state === 'failed') {
      assert.equal(deliveries[0].error.code, 'delivery_failed')
      assert.equal(deliveries[0].attempts, 4)
      break
    }
    assert.ok(look < 200, JSON.stringify(deliveries))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const alert = await alertOf('delivery_failed')
  assert.match(alert, /delivering to http:\/\/127\.0\.0\.1/)
  assert.equal((await troupe.troupe(['webhooks', 'remove', id!])).code, 5)
})

/** The first alert of this code that is kept. */
async function alertOf(code: string): Promise<string> {
  const response = await fetch(`${troupe.url}/v1/events?stream=system_alert&after=system_alert:0`, {
    headers: { authorization: `Bearer ${troupe.key}`, accept: 'text/event-stream' },
    signal: AbortSignal.timeout(15_000),
  })
  let text = ''
  for await (const piece of response.body!) {
    text += Buffer.from(piece).toString()
    if (text.includes(code)) return text
  }
  throw new Error(text)
}
