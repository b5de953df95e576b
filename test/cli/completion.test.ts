// What needs no installation: help, completion, and a folder in which nothing was started.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { runTroupe, temporaryFolder } from '../boot/installation.ts'

test('help is on stdout and names every exit status', async () => {
  const { code, out, err } = await runTroupe(['--help'])
  assert.equal(code, 0)
  assert.equal(err, '')
  assert.match(out, /Usage: troupe/)
  assert.match(out, /\n {2}4 {3}refused/)
})

async function bashCompletion(): Promise<(...words: string[]) => string> {
  const { out } = await runTroupe(['completion', 'bash'])
  return (...words) =>
    execFileSync('bash', [
      '-c',
      `${out}\nCOMP_WORDS=(troupe ${words.join(' ')}); COMP_CWORD=${words.length}; _troupe; echo "\${COMPREPLY[*]}"`,
    ])
      .toString()
      .trim()
}

test('bash completes subcommands and options from the script it is given', async () => {
  const complete = await bashCompletion()
  assert.equal(complete('sub'), 'submit')
  assert.equal(complete('tasks', 'fol'), 'follow')
  assert.equal(complete('submit', '--fol'), '--follow')
})

test('bash completes behind arguments, options and their values', async () => {
  const complete = await bashCompletion()
  assert.equal(complete('submit', 'document-analyzer', '--fol'), '--follow')
  assert.equal(complete('--data', '/tmp', 'tasks', 'fol'), 'follow')
  assert.equal(complete('tasks', 'ls', '--limit', '5', '--sta'), '--status')
  const { out } = await runTroupe(['completion', 'bash'])
  assert.match(out, /complete -o default /, 'where no word fits, a file may')
})

test('without an installation the command says how to start one, and that nothing answers', async () => {
  const folder = temporaryFolder()
  const { code, err } = await runTroupe(['--data', folder, 'tasks', 'ls'])
  rmSync(folder, { recursive: true })
  assert.equal(code, 3)
  assert.match(err, /^unavailable: Nothing was started in .*`troupe up`/)
})

test('colour is for terminals only', async () => {
  const { out } = await runTroupe(['doctor'], { env: { NO_COLOR: '' } })
  assert.ok(!out.includes('\u001b['))
})
