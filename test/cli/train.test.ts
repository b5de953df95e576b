import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { promisify } from 'node:util'
import { trainCommand } from '../../src/cli/train.ts'
import { generateDocuments } from '../../src/training/corpus/index.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troupe-train-'))
  const documents = generateDocuments({ seed: 1, split: 'train', perKind: 20, foreign: 1 })
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  const lines = documents.map(({ text, label }) => `${quoted(text)},${label}`)
  await writeFile(join(folder, 'data.csv'), ['body,kind', ...lines].join('\n'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a classifier is trained from a CSV file and put into the repository', async () => {
  const data = ['--data', join(folder, 'data.csv'), '--text', 'body', '--label', 'kind']
  await trainCommand(['classifier', ...data, '--name', 'kinds', '--out', join(folder, 'models')])
  const card = JSON.parse(await readFile(join(folder, 'models', 'kinds', '1', 'model.json'), 'utf8'))
  assert.equal(card.kind, 'text-classifier')
  assert.equal(card.lineage.data.source, 'data.csv')
})

test('an embedder is trained from a corpus', async () => {
  const corpus = ['--corpus', join(folder, 'data.csv'), '--text', 'body']
  await trainCommand(['embedder', ...corpus, '--name', 'mine', '--out', join(folder, 'models')])
  const card = JSON.parse(await readFile(join(folder, 'models', 'mine', '1', 'model.json'), 'utf8'))
  assert.equal(card.kind, 'text-embedder')
})

test('a column that is not there is named, with those that are', async () => {
  const command = trainCommand(['classifier', '--data', join(folder, 'data.csv'), '--name', 'x', '--out', folder])
  await assert.rejects(command, { code: 'invalid_command', message: /no column “text”, only body, kind/ })
})

test('what to train, and under which name, must be said', async () => {
  await assert.rejects(trainCommand(['--name', 'x']), { code: 'invalid_command' })
  await assert.rejects(trainCommand(['poet', '--name', 'x']), { code: 'invalid_command', message: /train what/ })
})

test('an option that there is not, or a fraction where things are counted, is a wrong command', async () => {
  const train = ['classifier', '--data', join(folder, 'data.csv'), '--name', 'x', '--out', folder]
  for (const wrong of [['--nope'], ['--seed'], ['--features', '1000.5'], ['--seed', '1.5']]) {
    await assert.rejects(trainCommand([...train, ...wrong]), { code: 'invalid_command' }, wrong.join(' '))
  }
})

const TROUPE = join(import.meta.dirname, '..', '..', 'src', 'cli', 'troupe.ts')
const typed = (...args: string[]) => promisify(execFile)(process.execPath, [TROUPE, ...args], { cwd: folder })

test('as it is typed: --data is the data to learn from, a second run is compared, and rollback is one command', async () => {
  const train = ['train', 'classifier', '--data', 'data.csv', '--text', 'body', '--label', 'kind', '--name', 'kinds']
  const first = await typed(...train)
  assert.match(first.stdout, /kinds version 1: accuracy .*\npromoted: the first version/)
  assert.match(first.stderr, /\w/, 'no progress was shown')
  assert.match((await typed(...train)).stdout, /kinds version 2: .*\npromoted: not worse: /)
  const back = await typed('train', 'rollback', '--name', 'kinds')
  assert.equal(back.stdout, 'kinds: version 1 is the newest again; version 2 is held back\n')
  await assert.rejects(typed('train', 'rollback', '--name', 'kinds'), /only version 1: there is none to go back to/)
  assert.match((await typed('train', '--help')).stdout, /troupe train classifier --data/)
})
