// Files of many producers, from public collections: nothing crashes, page counts are right, csv values are exact.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { closeDocumentPools } from '@troupe/tools/document-pool'
import { sharedData } from '../support/shared-data.ts'
import { extract } from './files.ts'

after(closeDocumentPools)

const pdfs = sharedData('documents/pdf/pypdf-samples')
const docx = sharedData('documents/docx/python-docx')
const csv = sharedData('documents/csv/csv-spectrum')
const absent = 'the public data is not beside the checkout'

test('pypdf samples: every page count is right and encrypted ones are named', {
  skip: pdfs === undefined && absent,
}, async () => {
  const { data } = JSON.parse(readFileSync(join(pdfs!, 'files.json'), 'utf8')) as {
    data: { path: string; pages: number; encrypted: boolean }[]
  }
  const present = new Set(readdirSync(pdfs!))
  let checked = 0
  for (const { path, pages, encrypted } of data) {
    const name = path.split('/').at(-1)!
    if (!present.has(name)) continue
    const document = await extract(new Uint8Array(readFileSync(join(pdfs!, name))), name)
    assert.equal(document.pageCount, pages, name)
    assert.equal(document.encrypted, encrypted, name)
    checked += 1
  }
  assert.ok(checked > 0)
})

test('python-docx files: all are read', { skip: docx === undefined && absent }, async () => {
  const texts: Record<string, string> = {}
  for (const name of readdirSync(docx!).filter((one) => one.endsWith('.docx'))) {
    texts[name] = (await extract(new Uint8Array(readFileSync(join(docx!, name))), name)).text
  }
  assert.match(texts['par-hyperlinks.docx']!, /\S/)
})

test('csv-spectrum: every value is exact', { skip: csv === undefined && absent }, async () => {
  for (const file of readdirSync(join(csv!, 'csvs'))) {
    // Its expected phone number is not the one in its csv.
    if (file === 'location_coordinates.csv') continue
    const bytes = new Uint8Array(readFileSync(join(csv!, 'csvs', file)))
    const document = await extract(bytes, file)
    const { header, rows } = document.tables[0]!
    const records = rows.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index]])))
    const expected = readFileSync(join(csv!, 'json', file.replace('.csv', '.json')), 'utf8')
    // Git may have turned the csv's own line ends into plain newlines.
    assert.deepEqual(records, JSON.parse(bytes.includes(13) ? expected : expected.replaceAll('\\r\\n', '\\n')), file)
  }
})
