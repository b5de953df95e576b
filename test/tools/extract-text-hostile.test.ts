// Each bad file ends as a result that names the trouble, or as a coded error; the process lives and stays awake.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type ErrorCode, TroupeError } from '@troupe/sdk'
import { closeDocumentPools } from '@troupe/tools/document-pool'
import { strToU8, zipSync } from 'fflate'
import { extract, makeDocx, makeDocxXml, makePdf, makePptx, makeXlsx, makeXlsxSheet } from './files.ts'

after(closeDocumentPools)

async function refused(work: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof TroupeError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  })
}

test('an empty file is said to be empty', () => refused(extract('', 'a.pdf'), 'document_unreadable', /a\.pdf is empty/))

test('a file of noise is no document', async () => {
  const noise = Uint8Array.from({ length: 5_000 }, (_, index) => (index * 7_919 + (index >> 3) * 31) % 256)
  await refused(extract(noise, 'a.docx'), 'document_unreadable', /neither a known document format nor text/)
})

test('a program is named as what it is', async () => {
  const program = new Uint8Array(4_096)
  program.set(strToU8('\x7fELF\x02\x01\x01'))
  await refused(extract(program, 'a.pdf'), 'document_unreadable', /x-elf/)
})

test('old and encrypted Office files are named', async () => {
  const compound = (name: string) => {
    const bytes = Buffer.alloc(4_096)
    bytes.set([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])
    bytes.write(name, 1_024, 'utf16le')
    return new Uint8Array(bytes)
  }
  const encrypted = await extract(compound('EncryptedPackage'), 'plan.xlsx')
  assert.equal(encrypted.encrypted, true)
  assert.equal(encrypted.warnings[0]?.kind, 'encrypted')
  await refused(extract(compound('WordDocument'), 'a.doc'), 'document_unreadable', /\.doc\); save it as \.docx/)
})

test('a mislabelled file is read as what it is, and said so', async () => {
  const document = await extract(await makeDocx(), 'report.pdf')
  assert.equal(document.format, 'docx')
  assert.ok(
    document.warnings.some((one) => one.kind === 'mislabelled' && /calls itself pdf but is docx/.test(one.message)),
  )
  const text = await extract('Just a text, whatever its name.', 'a.xlsx')
  assert.equal(text.format, 'text')
  assert.ok(text.warnings.some((one) => one.kind === 'mislabelled'))
})

test('a truncated file ends as a result or a coded error at every length', async () => {
  const files = [await makeDocx(), await makeXlsx(), await makePdf((pdf) => void pdf.text('Some text on a page'))]
  for (const whole of files) {
    for (let part = 1; part < 16; part++) {
      const cut = whole.slice(0, Math.floor((whole.length * part) / 16))
      const outcome = await extract(cut).catch((error: unknown) => error)
      if (outcome instanceof Error) {
        assert.ok(outcome instanceof TroupeError, String(outcome))
        assert.equal(outcome.code, 'document_unreadable')
      } else assert.ok((outcome as { warnings: unknown[] }).warnings.length > 0, `a cut at ${part}/16 passed unnoticed`)
    }
  }
})

test('a file with flipped bytes never ends the process', async () => {
  const files = [
    await makeDocx(),
    await makeXlsx(),
    makePptx([{ title: 'A', bullets: ['b'] }]),
    await makePdf((pdf) => void pdf.text('Some text')),
  ]
  let seed = 42
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed
  }
  for (const whole of files) {
    for (let round = 0; round < 25; round++) {
      const bytes = whole.slice()
      for (let flip = 0; flip < 20; flip++) bytes[random() % bytes.length] = random() % 256
      const outcome = await extract(bytes).catch((error: unknown) => error)
      if (outcome instanceof Error) assert.ok(outcome instanceof TroupeError, String(outcome))
    }
  }
})

test('an archive with 100,000 entries is refused', async () => {
  const entries: Record<string, Uint8Array> = {}
  for (let index = 0; index < 100_000; index++) entries[`e${index}`] = new Uint8Array(0)
  await refused(extract(zipSync(entries, { level: 0 }), 'many.zip'), 'limit_exceeded', /34464|100000 entries/)
})

test('a ratio bomb is refused before it unpacks', async () => {
  const bomb = makeDocxXml(`<w:document>${' '.repeat(40_000_000)}</w:document>`)
  assert.ok(bomb.length < 100_000)
  await refused(extract(bomb, 'bomb.docx'), 'limit_exceeded', /would unpack to 40\d+ bytes/)
})

test('a bomb that lies about its size is stopped at the budget', async () => {
  const bomb = Buffer.from(makeDocxXml(`<w:document>${' '.repeat(40_000_000)}</w:document>`))
  // The directory's and the entry's own sizes say a thousand bytes.
  for (let at = bomb.indexOf('word/document.xml'); at >= 0; at = bomb.indexOf('word/document.xml', at + 1)) {
    if (bomb.readUInt32LE(at - 46) === 0x02014b50) bomb.writeUInt32LE(1_000, at - 22)
  }
  await refused(extract(new Uint8Array(bomb), 'bomb.docx'), 'limit_exceeded', /more than it says/)
})

test('names that leave their folder are reported and nothing is written', async () => {
  const archive = zipSync({
    '../../etc/passwd': strToU8('root text that is harmless'),
    'fine.txt': strToU8('fine text'),
  })
  const document = await extract(archive, 'a.zip')
  assert.ok(
    document.warnings.some((one) => one.kind === 'suspicious_archive' && one.message.includes('../../etc/passwd')),
  )
  assert.match(document.text, /fine text/)
})

test('of more than fifty files in an archive the rest is listed and not unpacked, and that is said', async () => {
  const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  const photos = Array.from({ length: 50 }, (_, index) => [`${index}.png`, Buffer.from(pixel, 'base64')] as const)
  const archive = zipSync({ ...Object.fromEntries(photos), 'too-large.txt': new Uint8Array(20_000_000) })
  const { attachments, warnings } = await extract(archive, 'a.zip', { ocr: false })
  assert.equal(attachments.filter(({ problem }) => problem === undefined).length, 50)
  assert.deepEqual(attachments[50], {
    name: 'too-large.txt',
    size: 20_000_000,
    problem: 'only the first 50 files are opened',
  })
  assert.deepEqual(
    warnings.filter(({ kind }) => kind === 'truncated').map(({ message }) => message),
    [
      'More than 30 scanned pages; the rest was not read',
      'More than 50 files inside; the rest was not opened, only listed',
    ],
  )
})

test('archives inside archives inside archives end', async () => {
  let inner = zipSync({ 'a.txt': strToU8('at the bottom of it all') })
  for (let depth = 0; depth < 10; depth++) inner = zipSync({ 'inner.zip': inner })
  const document = await extract(inner, 'a.zip')
  assert.ok(document.attachments.some((one) => /nested deeper/.test(one.problem ?? '')))
})

test('XML entity bombs are not expanded and external entities not fetched', async () => {
  const lines = Array.from({ length: 9 }, (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`)
  const bomb = `<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "lol">${lines.join('')}<!ENTITY x SYSTEM "file:///etc/passwd">]>`
  const document = await extract(
    makeDocxXml(`${bomb}<w:document><w:body><w:p><w:r><w:t>a &l9; &x; b</w:t></w:r></w:p></w:body></w:document>`),
  )
  assert.ok(document.text.length < 100)
  assert.doesNotMatch(document.text, /root:|lollol/)
  assert.ok(document.warnings.some((one) => one.kind === 'xml_entities'))
  const plain = await extract(`${bomb}<d>&l9;&x;</d>`, 'a.xml')
  assert.doesNotMatch(plain.text, /root:|lollol/)
})

test('XML nested without end is refused', async () => {
  const deep = `<w:document>${'<w:p>'.repeat(200_000)}</w:document>`
  await refused(extract(makeDocxXml(deep)), 'limit_exceeded', /nested deeper/)
})

test('a cell in the last column of the last row costs one cell', async () => {
  const sheet =
    '<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData></worksheet>'
  const document = await extract(makeXlsxSheet(sheet), 'corner.xlsx')
  assert.equal(document.tables[0]?.rowCount, 1)
  assert.equal(document.tables[0]?.rows[0]?.length, 16_384)
  assert.equal(document.tables[0]?.rows[0]?.at(-1), 2)
})

test('a sheet of 16,384 columns is cut at the limit of cells and says so', async () => {
  const cells = Array.from({ length: 16_384 }, (_, index) => `<c><v>${index}</v></c>`).join('')
  const rows = Array.from({ length: 20 }, () => `<row>${cells}</row>`).join('')
  const document = await extract(makeXlsxSheet(`<worksheet><sheetData>${rows}</sheetData></worksheet>`))
  assert.equal(document.tables[0]?.header.length, 16_384)
  assert.equal(document.tables[0]?.rowCount, 19)
  assert.ok(document.warnings.some((one) => one.kind === 'truncated'))
})

test('formulas in a csv stay text', async () => {
  const document = await extract('a,b\n=cmd|\'/c calc\'!A1,"=HYPERLINK(""http://x"")"\n', 'a.csv')
  assert.deepEqual(document.tables[0]?.rows, [["=cmd|'/c calc'!A1", '=HYPERLINK("http://x")']])
})

test('a ragged csv is read as it is and its rows are named', async () => {
  const document = await extract('a,b,c\n1,2\n1,2,3,4\n1,2,3\n', 'a.csv')
  assert.deepEqual(document.tables[0]?.rows, [
    ['1', '2'],
    ['1', '2', '3', '4'],
    ['1', '2', '3'],
  ])
  const warning = document.warnings.find((one) => one.kind === 'ragged_rows')
  assert.match(warning!.message, /2 of 4 rows .*\(rows 2, 3\)/)
})

test('a quote that never closes is reported', async () => {
  const document = await extract('a,b\n1,"two\nthree,four\n', 'a.csv')
  assert.ok(document.warnings.some((one) => one.kind === 'damaged'))
})

test('a picture of billions of pixels is refused by its head', async () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d494844520000c3500000c350080200000000000000', 'hex')
  await refused(extract(new Uint8Array(png), 'a.png'), 'limit_exceeded', /50000 × 50000/)
})

test('while hostile files are read the event loop stays awake', async () => {
  const cells = Array.from({ length: 200 }, (_, index) => `<c><v>${index}</v></c>`).join('')
  const large = makeXlsxSheet(`<worksheet><sheetData>${`<row>${cells}</row>`.repeat(3_000)}</sheetData></worksheet>`)
  // The thread's own time between two turns: how long a loaded machine keeps it waiting says nothing of us.
  const threadTime = () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1_000
  }
  let longest = 0
  let last = threadTime()
  const watch = setInterval(() => {
    const now = threadTime()
    longest = Math.max(longest, now - last)
    last = now
  }, 5)
  await Promise.all(Array.from({ length: 4 }, () => extract(large, 'large.xlsx')))
  clearInterval(watch)
  assert.ok(longest < 400, `the event loop was held for ${longest} ms`)
})
