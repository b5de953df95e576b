import assert from 'node:assert/strict'
import { test } from 'node:test'
import { table } from '../../src/cli/table.ts'
import { createTerminal } from '../../src/cli/terminal.ts'

test('what a document says cannot command the terminal that shows it, and passes unchanged through a pipe', (t) => {
  const said = '\u001b]0;title\u0007\u001b[2J\u009b31mred\r\u001b[32mgreen\u001b[39m\tand\nso on'
  const written: string[] = []
  const terminal = createTerminal()
  const isTTY = process.stdout.isTTY
  t.after(() => {
    process.stdout.isTTY = isTTY
  })
  const write = t.mock.method(process.stdout, 'write', (text: string) => written.push(text) > 0)
  for (process.stdout.isTTY of [true, false]) terminal.out(said)
  write.mock.restore()
  assert.deepEqual(written, [
    '\ufffd]0;title\ufffd\ufffd[2J\ufffd31mred\ufffd\u001b[32mgreen\u001b[39m\tand\nso on\n',
    `${said}\n`,
  ])
})

test('a name of several lines is one row', () => {
  assert.deepEqual(table(['name', 'size'], [['a\nforged\trow', 1]]).split('\n'), [
    'name          size',
    'a forged row  1',
  ])
})
