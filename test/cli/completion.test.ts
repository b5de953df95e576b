// What needs no installation: help, completion, and a folder in which nothing was started.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
  assert.equal(complete('tasks', 'ls', '--limit', '5', '--sta'), '--state', 'the old name is not offered')
  const { out } = await runTroupe(['completion', 'bash'])
  assert.match(out, /complete -o default /, 'where no word fits, a file may')
})

test('bash offers the words of a fixed set, and files only where a file is taken', async () => {
  const complete = await bashCompletion()
  assert.match(complete('completion', ''), /^bash zsh fish --/)
  assert.equal(complete('submit', 'x', '--priority', ''), 'high normal low')
  assert.equal(complete('submit', 'x', '--deadline', ''), '')
  const { out } = await runTroupe(['completion', 'bash'])
  assert.match(out, /'documents put'\) .*files=yes/)
  assert.match(out, /'submit\|--document'\|'submit\|-d'\) next='' files=yes/)
  assert.match(out, /'completion'\) .*files=;;/)
})

const noFish = spawnSync('fish', ['--version']).status === 0 ? false : 'there is no fish here'

test('fish offers the words of a fixed set, and files only where a file is taken', { skip: noFish }, async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'invoice.pdf'), '')
  const { out } = await runTroupe(['completion', 'fish'])
  writeFileSync(join(folder, '.script'), out)
  const complete = (line: string): string[] => {
    const told = execFileSync('fish', ['-c', `source .script; complete -C '${line}'`], { cwd: folder }).toString()
    return told
      .split('\n')
      .map((offer) => offer.split('\t')[0]!)
      .filter((offer) => offer !== '')
      .sort()
  }
  assert.deepEqual(complete('troupe completion '), ['bash', 'fish', 'zsh'])
  assert.deepEqual(complete('troupe tasks '), [
    'cancel',
    'cancel-many',
    'deliveries',
    'erase',
    'erase-many',
    'follow',
    'ls',
    'message',
    'retry',
    'show',
    'submit-many',
  ])
  assert.deepEqual(complete('troupe tasks show '), [])
  assert.deepEqual(complete('troupe submit x --priority '), ['high', 'low', 'normal'])
  assert.deepEqual(complete('troupe documents put '), ['invoice.pdf'])
  assert.deepEqual(complete('troupe submit x --document '), ['invoice.pdf'])
  // `put` of schedules takes a name, that of documents a file.
  assert.deepEqual(complete('troupe schedules put '), [])
})

test('without an installation the command says how to start one, and that nothing answers', async () => {
  const folder = temporaryFolder()
  const { code, err } = await runTroupe(['--data', folder, 'tasks', 'ls'])
  rmSync(folder, { recursive: true })
  assert.equal(code, 3)
  assert.match(err, /^unavailable: Nothing was started in .*`(npx )?troupe up`/)
})

test('colour is for terminals only', async () => {
  const { out } = await runTroupe(['doctor'], { env: { NO_COLOR: '' } })
  assert.ok(!out.includes('\u001b['))
})
