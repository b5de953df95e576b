import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDelimited, readTable } from '../../src/training/table.ts'

test('quotes, commas and lines within fields are kept', () => {
  assert.deepEqual(readDelimited('text,label\r\n"a ""b"", c\nd",x\ny,\n', ',', 'data.csv'), [
    { text: 'a "b", c\nd', label: 'x' },
    { text: 'y', label: '' },
  ])
})

test('a record with a field too many is refused with its number', () => {
  assert.throws(() => readDelimited('a,b\n1,2\n1,2,3\n', ',', 'data.csv'), /data\.csv: record 2 has 3 fields/)
})

test('a quote that is never closed is refused', () => {
  assert.throws(() => readDelimited('a\n"b', ',', 'data.csv'), { code: 'document_unreadable' })
})

test('a file that is not there is the caller’s mistake, with its name', async () => {
  await assert.rejects(readTable('/nowhere/data.csv'), { code: 'document_unreadable', message: /nowhere\/data\.csv/ })
})
