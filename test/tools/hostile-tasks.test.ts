// Every bad input of the catalogue as a task of a real agent, all on one host at once, with good tasks among them: each
// ends as a result that names the trouble or as a coded failure, and the good ones do not notice.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { strToU8, unzipSync, zipSync } from 'fflate'
import { hostOf, openParts } from '../../src/boot/parts.ts'
import { readSettings } from '../../src/boot/settings.ts'
import { createDesk } from '../../src/desk/desk.ts'
import { createDocuments } from '../../src/gateway/index.ts'
import { makeDocx, makeDocxXml, makePdf, makeXlsx, makeXlsxSheet } from './files.ts'

const TENANT = 'test'

/** How it may end: a code of the failure, or words that stand in the output. */
interface Bad {
  title: string
  content: Uint8Array | string
  name: string
  agent: 'document-analyzer' | 'business-intelligence' | 'quality-assurance'
  ends: RegExp
}

async function badInputs(): Promise<Bad[]> {
  const docx = await makeDocx()
  const xlsx = await makeXlsx()
  const row = `<row>${'<c><v>1</v></c>'.repeat(16_384)}</row>`
  const wide = makeXlsxSheet(`<worksheet><sheetData>${row.repeat(3)}</sheetData></worksheet>`)
  let laughs = '<!ENTITY a0 "lol">'
  for (let level = 1; level < 12; level++) laughs += `<!ENTITY a${level} "${`&a${level - 1};`.repeat(10)}">`
  const bomb = makeDocxXml(
    `<?xml version="1.0"?><!DOCTYPE w [${laughs}]><document><body><p><r><t>before &a11; after</t></r></p></body></document>`,
  )
  const external = makeDocxXml(
    '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><document><body><p><r><t>before &x; after</t></r></p></body></document>',
  )
  const withSheet = (xml: string) =>
    zipSync({ ...unzipSync(xlsx), 'xl/worksheets/sheet1.xml': strToU8(xml) }, { level: 1 })
  const sheetBomb = withSheet(
    `<?xml version="1.0"?><!DOCTYPE w [${laughs}]><worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&a11;</t></is></c></row></sheetData></worksheet>`,
  )
  const wideTable = withSheet(`<worksheet><sheetData>${row.repeat(3)}</sheetData></worksheet>`)
  const entries: Record<string, Uint8Array> = {}
  for (let index = 0; index < 100_000; index++) entries[`${index}`] = new Uint8Array(0)
  const analyse = 'document-analyzer'
  const insight = 'business-intelligence'
  const check = 'quality-assurance'
  const locked = await makePdf((pdf) => void pdf.text('secret'), { userPassword: 'x', ownerPassword: 'y' })
  return [
    { title: 'empty', content: '', name: 'a.pdf', agent: analyse, ends: /document_unreadable/ },
    { title: 'empty table', content: '', name: 'a.csv', agent: insight, ends: /document_unreadable/ },
    {
      title: 'truncated Word',
      content: docx.slice(0, docx.length / 2),
      name: 'a.docx',
      agent: analyse,
      ends: /truncated/,
    },
    {
      title: 'truncated Excel',
      content: xlsx.slice(0, xlsx.length / 2),
      name: 'a.xlsx',
      agent: check,
      ends: /truncated/,
    },
    { title: 'encrypted', content: locked, name: 'a.pdf', agent: analyse, ends: /encrypted: a password is needed/ },
    { title: 'mislabelled', content: docx, name: 'a.pdf', agent: analyse, ends: /calls itself pdf but is docx/ },
    {
      title: '100,000 entries',
      content: zipSync(entries, { level: 0 }),
      name: 'a.zip',
      agent: analyse,
      ends: /limit_exceeded/,
    },
    {
      title: 'ratio bomb',
      content: zipSync({ 'word/document.xml': new Uint8Array(40 * 1024 * 1024) }, { level: 6 }),
      name: 'a.docx',
      agent: analyse,
      ends: /limit_exceeded/,
    },
    {
      title: 'names that climb',
      content: zipSync({ '../../etc/cron.d/job': strToU8('hello'), 'ok.txt': strToU8('A good file.') }),
      name: 'a.zip',
      agent: analyse,
      ends: /names that leave their folder/,
    },
    { title: 'entity bomb', content: bomb, name: 'a.docx', agent: analyse, ends: /neither expanded nor fetched/ },
    {
      title: 'external entity',
      content: external,
      name: 'a.docx',
      agent: analyse,
      ends: /neither expanded nor fetched/,
    },
    {
      title: 'entity bomb in a sheet',
      content: sheetBomb,
      name: 'a.xlsx',
      agent: insight,
      ends: /"rowCount":0|document_unreadable|invalid_input/,
    },
    {
      title: '16,384 columns as a document',
      content: wide,
      name: 'a.xlsx',
      agent: analyse,
      ends: /rows and 16384 columns/,
    },
    {
      title: '16,384 columns as a table',
      content: wideTable,
      name: 'a.xlsx',
      agent: check,
      ends: /limit_exceeded.*16384 columns/,
    },
    { title: 'formulas', content: 'a,b\n=1+1,=cmd|calc\n2,3\n', name: 'a.csv', agent: analyse, ends: /=cmd\|calc/ },
    {
      title: 'mixed encodings',
      content: Buffer.concat([Buffer.from('Größe und Maß\n'), Buffer.from('Gr\xf6\xdfe und Ma\xdf\n', 'latin1')]),
      name: 'a.txt',
      agent: analyse,
      ends: /mixed_encodings/,
    },
    {
      title: 'ragged rows',
      content: `a,b\n${'1,2\n'.repeat(30)}1,2,3\n4\n`,
      name: 'a.csv',
      agent: check,
      ends: /every row has as many cells as the header/,
    },
    { title: 'one row', content: 'day,revenue\n2024-01-01,5\n', name: 'a.csv', agent: insight, ends: /"rowCount":1/ },
    { title: 'only nulls', content: 'a,b\n,\n,\n,\n', name: 'a.csv', agent: insight, ends: /"rowCount":/ },
  ]
}

test('every bad input ends as a named trouble, and good tasks beside them complete', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-hostile-'))
  const parts = await openParts(readSettings({ TROUPE_DATA: folder, TROUPE_LOG: 'silent' }), 'test')
  const host = hostOf(parts, 'test')
  try {
    const { journal, bus, blobs, gatewayStore: store } = parts.stores
    const documents = createDocuments({ blobs, store, bus, maxBytes: 256 * 1024 * 1024 })
    await host.start()
    const desk = createDesk({ journal, bus, agents: parts.agents })

    const outcome = async (agent: string, input: unknown): Promise<string> => {
      const { task } = await desk.submit({ tenant: TENANT, agent, input })
      for await (const _ of desk.follow(TENANT, task.id, 0, AbortSignal.timeout(60_000))) {
        // The log ends with the task.
      }
      const { state, error, output } = await desk.get(TENANT, task.id)
      return `${state} ${JSON.stringify(error ?? output)}`
    }
    const bad = await badInputs()
    const runBad = bad.map(async ({ title, content, name, agent, ends }) => {
      const bytes = typeof content === 'string' ? strToU8(content) : content
      const { id } = await documents.put({ tenant: TENANT, name, createdBy: 'test', content: bytes })
      const extras = agent === 'business-intelligence' ? { charts: 0, report: [] } : {}
      const input = agent === 'document-analyzer' ? { document: { id } } : { dataset: { documentId: id }, ...extras }
      const ended = await outcome(agent, input)
      assert.match(ended, /^(completed|failed) /, title)
      assert.match(ended, ends, `${title}: ${ended.slice(0, 600)}`)
      assert.doesNotMatch(ended, /root:.*:0:0:|"code":"(internal|agent_crashed|task_poisoned)"/, title)
    })
    const good = Array.from({ length: 6 }, (_, index) =>
      outcome('document-analyzer', {
        document: { text: `Ada Lovelace met Charles Babbage in London, ${1830 + index}.` },
      }),
    )
    // All of them, before anything is closed under those that are still running.
    const settled = await Promise.allSettled([...runBad, ...good])
    for (const one of settled) if (one.status === 'rejected') throw one.reason
    for (const ended of await Promise.all(good)) assert.match(ended, /^completed .*Ada Lovelace/)
  } finally {
    await host.drain(5_000)
    await parts.close()
    await rm(folder, { recursive: true, force: true })
  }
})
