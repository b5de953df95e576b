// Schedules from the command line, fired by a running installation.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Installation, startInstallation } from '../boot/installation.ts'

let troupe: Installation

before(async () => {
  troupe = await startInstallation()
})
after(() => troupe.stop())

const input = JSON.stringify({ document: { text: 'Ada Lovelace met Charles Babbage in London.' } })

test('a schedule is put, listed, shown and removed', async () => {
  const when = ['--cron', '0 6 * * mon-fri', '--time-zone', 'Europe/Berlin', '--skip']
  const put = await troupe.troupe(['schedules', 'put', 'mornings', 'document-analyzer', input, ...when])
  assert.equal(put.code, 0, put.err)
  assert.equal(put.out, 'mornings\n')
  assert.match(put.err, /^It asks document-analyzer next at \d{4}-/)
  const listed = await troupe.troupe(['schedules', 'ls'])
  assert.match(listed.out, /^mornings +document-analyzer +0 6 \* \* mon-fri \(Europe\/Berlin\) +\d{4}-/m)
  const shown = await troupe.troupe(['schedules', 'show', 'mornings', '--json'])
  assert.deepEqual(JSON.parse(shown.out).input, JSON.parse(input))
  assert.match((await troupe.troupe(['schedules', 'show', 'mornings'])).out, /^overlap +skip$/m)
  assert.equal((await troupe.troupe(['schedules', 'remove', 'mornings'])).code, 0)
  assert.equal((await troupe.troupe(['schedules', 'show', 'mornings'])).code, 5)
})

test('a schedule without a time, or for nobody, is refused', async () => {
  assert.equal((await troupe.troupe(['schedules', 'put', 'x', 'document-analyzer', input])).code, 2)
  assert.equal((await troupe.troupe(['schedules', 'put', 'x', 'nobody', '{}', '--cron', '@daily'])).code, 5)
  assert.equal((await troupe.troupe(['schedules', 'put', 'x', 'document-analyzer', '{}', '--cron', 'x'])).code, 2)
})

test('its task is done when the time comes, although the core was killed just before', async () => {
  // Further ahead when the machine is too busy to say so in time.
  let put = { code: 2, err: 'has passed' }
  for (let ms = 1_500; put.code === 2 && /has passed/.test(put.err); ms *= 2) {
    const at = new Date(Date.now() + ms).toISOString()
    put = await troupe.troupe(['schedules', 'put', 'soon', 'document-analyzer', input, '--at', at])
  }
  assert.equal(put.code, 0, put.err)
  const { facts } = await troupe.child('core')
  process.kill(facts.pid, 'SIGKILL')
  await troupe.saying(/core serves again/)
  let last: { task: string } | undefined
  for (const patience = Date.now() + 60_000; last === undefined && Date.now() < patience; ) {
    last = (await troupe.call('GET', '/v1/schedules/soon')).last
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const followed = await troupe.troupe(['tasks', 'follow', last!.task])
  assert.equal(followed.code, 0, followed.err)
  const { tasks } = await troupe.call('GET', '/v1/tasks')
  assert.equal(tasks.length, 1)
  assert.equal(tasks[0].metadata['troupe.schedule'], 'soon')
})
