// What a person does to a command line that nobody planned for: readers that leave, names that are no names, files that
// are not there, a narrow terminal. Nothing of it is a defect of Troupe, and nothing of it may be called one.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { drawWaterfall } from '../../src/cli/trace.ts'
import { type Installation, ROOT, startInstallation } from '../boot/installation.ts'
import { eventually } from '../support/eventually.ts'

let troupe: Installation
let ended: string

before(async () => {
  troupe = await startInstallation({ env: { TROUPE_AGENTS: join(ROOT, 'examples', 'contract-reviewer') } })
  const input = JSON.stringify({ document: { text: 'Ada Lovelace met Charles Babbage in London.' } })
  const run = await troupe.troupe(['submit', 'document-analyzer', input, '--wait', '--json'])
  ended = JSON.parse(run.out).id
})
after(() => troupe.stop())

test('the samples leave when they are done: they are no part of the running tree', async (t) => {
  const own = await startInstallation({ args: ['--samples'] })
  t.after(() => own.stop())
  await own.saying(/The samples are done/)
  await eventually('the process of the samples ends by itself', async () => (await own.child('samples')) === undefined)
})

test('a reader that has seen enough ends the command without a word', async () => {
  const args = [join(ROOT, 'src', 'cli', 'troupe.ts'), '--data', troupe.data, 'tasks', 'follow', ended]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    said += piece
  })
  // Nobody reads from the beginning: each write finds a closed pipe.
  child.stdout.destroy()
  const [code] = await once(child, 'exit')
  assert.equal(said, '')
  assert.equal(code, 141)
})

test('an installation outlives whoever read what it says', async (t) => {
  const own = await startInstallation()
  t.after(() => own.stop())
  own.root.stdout!.destroy()
  own.root.stderr!.destroy()
  const { facts } = await own.child('retrieval')
  process.kill(facts.pid, 'SIGKILL')
  // The death is told to nobody, and mended.
  await eventually('another process serves', async () => {
    const child = await own.child('retrieval')
    return child.state === 'running' && child.facts.pid !== facts.pid
  })
  assert.equal(own.root.exitCode, null)
})

test('to follow an ended task from its end, or from beyond it, ends at once', async () => {
  const { lastEvent } = JSON.parse((await troupe.troupe(['tasks', 'show', ended, '--json'])).out)
  for (const from of [lastEvent, lastEvent + 1_000]) {
    const { code, out, err } = await troupe.troupe(['tasks', 'follow', ended, '--after', String(from)])
    assert.equal(code, 0, err)
    assert.equal(out, '')
  }
})

test('a file that cannot be read or written, an address that is none: the command is wrong, not Troupe', async () => {
  const put = await troupe.troupe(['documents', 'put', join(ROOT, 'LICENSE')])
  assert.equal(put.code, 0, put.err)
  const wrong = [
    ['submit', 'document-analyzer', '--document', '/no/such/file'],
    ['submit', 'document-analyzer', '--document', ROOT],
    ['documents', 'put', ROOT],
    ['documents', 'get', put.out.trim(), '-o', '/no/such/folder/file'],
    ['--url', 'nonsense', 'tasks', 'ls'],
    ['--url', 'ftp://127.0.0.1', 'tasks', 'ls'],
    ['train', 'nonsense', '--name', 'x'],
  ]
  for (const args of wrong) {
    const { code, err } = await troupe.troupe(args)
    assert.equal(code, 2, `${args.join(' ')}: ${err}`)
    assert.match(err, /^invalid_command: /)
  }
})

test('an id that is a path stays an id', async () => {
  for (const args of [
    ['tasks', 'show', '../keys'],
    ['tasks', 'follow', '../keys'],
    ['tasks', 'cancel', '../keys'],
  ]) {
    const { code, err } = await troupe.troupe(args)
    assert.equal(code, 5)
    assert.match(err, /There is no task \.\.\/keys\. /)
  }
})

test('what to do about an error is a sentence of its own', async () => {
  const { err } = await troupe.troupe(['tasks', 'ls', '--limit', '-1'])
  assert.match(err, /expected number to be >=1\. Compare the request/)
})

test('a waterfall fits into the terminal, and long names are cut', () => {
  const spans = [
    { id: '1', name: 'invoke_agent a-name-that-is-rather-long-for-a-terminal', startedAt: 0, endedAt: 2_000 },
    { id: '2', parent: '1', name: 'step', startedAt: 500, endedAt: 1_000 },
  ]
  const plain = (_style: unknown, text: string) => text
  for (const columns of [50, 80, 200]) {
    for (const line of drawWaterfall(spans, 2_000, plain, columns)) assert.ok(line.length <= columns, line)
  }
  assert.match(drawWaterfall(spans, 2_000, plain, 50)[0]!, /… {2}█+ {2}2\.0 s$/)
  assert.match(drawWaterfall(spans, 2_000, plain)[0]!, /terminal {2}█{40} {2}2\.0 s$/)
})

test('who waits for the end of a task is told that it waits for a person, and how to answer', async () => {
  const input = JSON.stringify({ text: 'The contract shall automatically renew each year.' })
  const args = ['src/cli/troupe.ts', '--data', troupe.data, 'submit', 'contract-reviewer', input, '--wait']
  const waiting = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(waiting, 'exit')
  let said = ''
  let answered: Promise<unknown> | undefined
  for await (const piece of waiting.stderr.setEncoding('utf8')) {
    said += piece
    const [, id] = /waiting for person: waitingForPerson \(decide\).* tasks message (\S+) decide/.exec(said) ?? []
    if (id !== undefined) answered ??= troupe.troupe(['tasks', 'message', id, 'decide', '{"approved": true}'])
  }
  await answered
  assert.deepEqual(await exited, [0, null], said)
  assert.equal(said.match(/waiting for person/g)?.length, 1, said)
})
