import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guessSeparator } from '../../tools/csv-records.ts'
import { readCsv } from '../../tools/documents/csv.ts'
import { parseCsv } from '../../tools/tables/csv.ts'

const TEXTS = {
  'decimal commas between semicolons': ['name;price;stock\nbolt;0,12;1400\nnut;0,08;900\n', ';'],
  'names with commas between bars, one row too short': [
    'name|city|age\nLovelace, Ada|London|36\nTuring, Alan|Wilmslow|41\nHopper, Grace|85\nLiskov, Barbara|Boston|80\n',
    '|',
  ],
  'tabs around sentences': ['id\tsaid\n1\tyes, of course; no\n2\tno, never\n', '\t'],
  'separators within quotes': ['a,b\n"1;2;3;4","5;6"\n"7;8;9;0","1;2"\n', ','],
  'one column': ['word\nbolt\nnut\n', ','],
} as const

for (const [what, [text, separator]] of Object.entries(TEXTS)) {
  test(`${what}: documents and tables are split alike`, () => {
    assert.equal(guessSeparator(text), separator)
    assert.equal(readCsv(text, 'utf-8').metadata.separator, separator === '\t' ? 'tab' : separator)
    const { header } = parseCsv(text)
    assert.deepEqual(header, text.slice(0, text.indexOf('\n')).split(separator))
  })
}

test('a quote that goes on behind the sample does not hide the separator', () => {
  const rows = Array.from({ length: 20 }, (_, n) => `${n};"a, b, c"`).join('\n')
  assert.equal(guessSeparator(`n;text\n${rows}\n20;"${'x, '.repeat(40_000)}"\n`), ';')
})
