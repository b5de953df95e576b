// Tables that nobody should send, for the agents that work on tables: each ends as a result that names the trouble, or as
// a failure with a code.
import { strToU8, unzipSync, zipSync } from 'fflate'
import { makeDocx, makeXlsx } from './files.ts'

export interface HostileTable {
  title: string
  content: Uint8Array | string
  /** Of the task's state and its error or output, as JSON. */
  ends: RegExp
}

/** Whatever they meet, agents never end like this. */
export const DEFECT = /"code":"(internal|agent_crashed|task_poisoned)"|root:.*:0:0:/

export async function hostileTables(): Promise<HostileTable[]> {
  const xlsx = await makeXlsx()
  const withSheet = (xml: string | Uint8Array) =>
    zipSync({ ...unzipSync(xlsx), 'xl/worksheets/sheet1.xml': typeof xml === 'string' ? strToU8(xml) : xml })
  const entries: Record<string, Uint8Array> = { ...unzipSync(xlsx) }
  for (let index = 0; index < 100_000; index++) entries[`${index}`] = new Uint8Array(0)
  let laughs = '<!ENTITY a0 "lol">'
  for (let level = 1; level < 12; level++) laughs += `<!ENTITY a${level} "${`&a${level - 1};`.repeat(10)}">`
  const cellOf = (entities: string, text: string) =>
    `<?xml version="1.0"?><!DOCTYPE w [${entities}]><worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>${text}</t></is></c></row></sheetData></worksheet>`
  const locked = Buffer.alloc(4_096)
  locked.set([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])
  locked.write('EncryptedPackage', 1_024, 'utf16le')
  const wide = Array.from({ length: 16_384 }, (_, column) => `c${column}`).join(',')
  const refused = /^failed .*"code":"(document_unreadable|limit_exceeded|invalid_input)"/
  return [
    { title: 'an empty file', content: '', ends: /^failed .*document_unreadable/ },
    { title: 'a truncated workbook', content: xlsx.slice(0, xlsx.length / 2), ends: refused },
    { title: 'an encrypted workbook', content: new Uint8Array(locked), ends: /^failed .*document_unreadable/ },
    { title: 'a letter that calls itself a table', content: await makeDocx(), ends: refused },
    { title: 'a program', content: Buffer.from('\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0', 'latin1'), ends: refused },
    { title: 'a workbook with 100,000 more entries', content: zipSync(entries, { level: 0 }), ends: refused },
    { title: 'a ratio bomb', content: withSheet(new Uint8Array(60 * 1024 * 1024)), ends: refused },
    { title: 'an entity bomb', content: withSheet(cellOf(laughs, '&a11;')), ends: /^(completed|failed) / },
    {
      title: 'an external entity',
      content: withSheet(cellOf('<!ENTITY x SYSTEM "file:///etc/passwd">', '&x;')),
      ends: /^(completed|failed) /,
    },
    { title: '16,384 columns', content: `${wide}\n${wide}\n`, ends: /^failed .*limit_exceeded/ },
    { title: 'JSON that is none', content: '{"broken', ends: /^failed .*document_unreadable/ },
    { title: 'JSON nested without end', content: '['.repeat(200_000), ends: refused },
    {
      title: 'formulas and markup as cells',
      content: `name,amount\n=cmd|calc!A0,1\n<script>alert(1)</script>,2\n@SUM(1),3\n${'x,4\n'.repeat(20)}`,
      ends: /^completed /,
    },
    {
      title: 'mixed encodings',
      content: Buffer.concat([Buffer.from('stadt,wert\nKöln,1\n'), Buffer.from('M\xfcnchen,2\n', 'latin1')]),
      ends: /^completed /,
    },
    { title: 'ragged rows', content: `a,b\n${'1,2\n'.repeat(30)}1,2,3\n4\n`, ends: /^completed / },
    {
      title: 'thousands of brackets around a number',
      content: `amount\n${`${'('.repeat(20_000)}1${')'.repeat(20_000)}\n`.repeat(3)}`,
      ends: /^completed /,
    },
    { title: 'one row', content: 'day,revenue\n2024-01-01,5\n', ends: /^completed / },
    { title: 'only nulls', content: 'a,b\n,\n,\n,\n', ends: /^completed / },
    {
      title: 'column names that are SQL',
      content: `"a""; DROP TABLE data; --",b\n${'1,2\n'.repeat(20)}`,
      ends: /^completed /,
    },
  ]
}
