import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { closeDocumentPools } from '@troupe/tools/document-pool'
import { strToU8, zipSync } from 'fflate'
import { extract, makeDocx, makePdf, makePicture, makePptx, makeXlsx } from './files.ts'

after(closeDocumentPools)

test('Word: headings, lists, tables as data, pages and properties', async () => {
  const document = await extract(await makeDocx(), 'report.docx')
  assert.equal(document.format, 'docx')
  assert.deepEqual(
    document.structure.headings.map(({ level, text }) => [level, text]),
    [
      [1, 'Results'],
      [2, 'Outlook'],
    ],
  )
  assert.deepEqual(document.structure.lists[0]?.items, ['First point', 'Second point'])
  assert.deepEqual(document.tables[0]?.header, ['Region', 'Revenue'])
  assert.deepEqual(document.tables[0]?.rows, [
    ['North', '1200'],
    ['South', '900'],
  ])
  assert.equal(document.pageCount, 2)
  assert.match(document.pages[1]!.text, /We expect more/)
  assert.match(document.text, /Revenue grew by 12 % to € 4\.2 million\./)
  assert.equal(document.metadata.title, 'Quarterly report')
  assert.equal(document.metadata.author, 'Ada Lovelace')
})

test('offsets of pages and headings point into the text', async () => {
  const document = await extract(await makeDocx(), 'report.docx')
  for (const { offset, text } of document.structure.headings) {
    assert.equal(document.text.slice(offset, offset + text.length), text)
  }
  for (const page of document.pages) {
    assert.equal(document.text.slice(page.start, page.start + page.text.length), page.text)
  }
  assert.equal(document.pages.map((page) => page.text).join(''), document.text)
})

test('Excel: a sheet is a page and a typed table; dates are dates, formulas as text stay text', async () => {
  const document = await extract(await makeXlsx(), 'orders.xlsx')
  assert.equal(document.pageCount, 2)
  assert.equal(document.tables[0]?.name, 'Orders')
  assert.deepEqual(document.tables[0]?.rows, [
    [1, '2024-02-29', 12.5, true],
    [2, '2024-03-01', 7, false],
  ])
  assert.deepEqual(document.tables[1]?.rows, [['=1+1'], ['a < b & "c"']])
})

test('PowerPoint: a slide is a page, its title a heading, its bullets a list', async () => {
  const document = await extract(
    makePptx([
      { title: 'Plan', bullets: ['One', 'Two &amp; three'] },
      { title: 'Costs', bullets: ['Four'] },
    ]),
    'deck.pptx',
  )
  assert.equal(document.pageCount, 2)
  assert.deepEqual(
    document.structure.headings.map((one) => one.text),
    ['Plan', 'Costs'],
  )
  assert.deepEqual(document.structure.lists[0]?.items, ['One', 'Two & three'])
})

test('PDF: pages, large letters as headings, metadata, links', async () => {
  const bytes = await makePdf(
    (pdf) => {
      pdf
        .fontSize(24)
        .text('Annual report')
        .fontSize(11)
        .text('All went well in the year that this report is about, as it should.')
      pdf.addPage().text('See the site', { link: 'https://example.org/report' })
    },
    { info: { Title: 'Annual', Author: 'Grace' } },
  )
  const document = await extract(bytes, 'annual.pdf')
  assert.equal(document.pageCount, 2)
  assert.equal(document.structure.headings[0]?.text, 'Annual report')
  assert.equal(document.metadata.title, 'Annual')
  assert.deepEqual(document.structure.links, ['https://example.org/report'])
})

test('PDF: words that stand below each other in columns are a table', async () => {
  const rows = [
    ['Item', 'Units', 'Price'],
    ['Bolts', '400', '12.50'],
    ['Nuts', '1200', '8.00'],
    ['Washers', '90', '3.10'],
  ]
  const bytes = await makePdf((pdf) => {
    pdf.fontSize(11).text('What we ordered this month is listed below in full.')
    rows.forEach((row, line) => {
      row.forEach((value, column) => void pdf.text(value, 72 + column * 150, 120 + line * 18, { lineBreak: false }))
    })
  })
  const { tables } = await extract(bytes)
  assert.deepEqual(tables[0]?.header, rows[0])
  assert.deepEqual(tables[0]?.rows, rows.slice(1))
})

test('PDF: an encrypted file is named as such and opens with its password', async () => {
  const bytes = await makePdf((pdf) => void pdf.text('A secret that is long enough to be no scan'), {
    userPassword: 'sesame',
  })
  const closed = await extract(bytes)
  assert.equal(closed.encrypted, true)
  assert.equal(closed.text, '')
  assert.equal(closed.warnings[0]?.kind, 'encrypted')
  const wrong = await extract(bytes, 'a.pdf', { password: 'simsim' })
  assert.match(wrong.warnings[0]!.message, /password is wrong/)
  const open = await extract(bytes, 'a.pdf', { password: 'sesame' })
  assert.match(open.text, /A secret/)
})

test('HTML: what a reader sees, without scripts, styles and hidden parts', async () => {
  const document = await extract(`<!doctype html><html lang="en"><head><title>Shop</title><style>p{}</style>
    <script>alert('no')</script></head><body><h1>Offers</h1><p hidden>not this</p><p>Fish&nbsp;&amp; chips</p>
    <ul><li>a</li><li>b</li></ul><table><tr><th>x</th><th>y</th></tr><tr><td>1</td><td>2</td></tr></table>
    <a href="https://example.org">link</a><a href="javascript:alert(1)">bad</a></body></html>`)
  assert.equal(document.format, 'html')
  assert.equal(document.metadata.title, 'Shop')
  assert.match(document.text, /Fish & chips/)
  assert.doesNotMatch(document.text, /alert|not this|p\{\}/)
  assert.deepEqual(document.structure.lists[0]?.items, ['a', 'b'])
  assert.deepEqual(document.tables[0]?.rows, [['1', '2']])
  assert.deepEqual(document.structure.links, ['https://example.org'])
})

test('Markdown: marks become structure, code stays', async () => {
  const document = await extract(
    '# Title ##\n\n## On C#\n\nSome *fine* text.\n\n- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n```\n# no heading\n```\n',
    'a.md',
  )
  assert.equal(document.format, 'markdown')
  assert.deepEqual(
    document.structure.headings.map((one) => one.text),
    ['Title', 'On C#'],
  )
  assert.match(document.text, /Some fine text\./)
  assert.match(document.text, /# no heading/)
  assert.deepEqual(document.tables[0]?.rows, [['1', '2']])
})

test('e-mail: head, body and the text of attachments on pages of their own; a bad attachment spoils nothing', async () => {
  const docx = Buffer.from(await makeDocx()).toString('base64')
  const mail = [
    'From: Ada <ada@example.org>',
    'To: Bob <bob@example.org>',
    'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
    'Date: Fri, 01 Mar 2024 10:00:00 +0100',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="cut"',
    '',
    '--cut',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Please read the report.',
    '--cut',
    'Content-Type: application/octet-stream; name="report.docx"',
    'Content-Disposition: attachment; filename="report.docx"',
    'Content-Transfer-Encoding: base64',
    '',
    docx,
    '--cut',
    'Content-Disposition: attachment; filename="broken.pdf"',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from('%PDF-1.7 nothing').toString('base64'),
    '--cut--',
  ].join('\r\n')
  const document = await extract(mail, 'mail.eml')
  assert.equal(document.format, 'email')
  assert.equal(document.metadata.subject, 'Grüße')
  const [report, broken] = document.attachments
  assert.match(document.text.slice(report!.start, report!.end), /Revenue grew/)
  assert.match(broken!.problem!, /damaged/)
  assert.ok(document.structure.headings.some((one) => document.text.startsWith('Outlook', one.offset)))
})

test('RTF and OpenDocument text', async () => {
  const rtf = await extract(
    "{\\rtf1\\ansi\\ansicpg1252 {\\fonttbl{\\f0 Arial;}}Gr\\'fc\\u223?e\\par second \\b line\\b0\\par}",
  )
  assert.equal(rtf.format, 'rtf')
  assert.match(rtf.text, /Grüße\nsecond line/)
  const content =
    '<office:document-content><office:body><office:text><text:h text:outline-level="1">Head</text:h><text:p>Body &amp; soul</text:p></office:text></office:body></office:document-content>'
  const odt = await extract(
    zipSync({ mimetype: strToU8('application/vnd.oasis.opendocument.text'), 'content.xml': strToU8(content) }),
  )
  assert.equal(odt.format, 'odt')
  assert.equal(odt.text, 'Head\nBody & soul\n')
})

test('an e-book: its chapters in their order; their addresses may be encoded, and one that is missing is named', async () => {
  const chapter = (text: string) => strToU8(`<html><body><p>${text}</p></body></html>`)
  const items = ['one', 'chapter%202', 'gone'].map((name, at) => `<item id="i${at}" href="text/${name}.xhtml"/>`)
  const spine = items.map((_, at) => `<itemref idref="i${at}"/>`)
  const book = await extract(
    zipSync({
      mimetype: strToU8('application/epub+zip'),
      'META-INF/container.xml': strToU8('<container><rootfile full-path="OPS/book.opf"/></container>'),
      'OPS/book.opf': strToU8(`<package>${items.join('')}${spine.join('')}</package>`),
      'OPS/text/one.xhtml': chapter('It began.'),
      'OPS/text/chapter 2.xhtml': chapter('It went on.'),
    }),
  )
  assert.deepEqual([book.format, book.text], ['epub', 'It began.\nIt went on.\n'])
  assert.deepEqual(
    book.warnings.map((one) => one.message),
    ['Chapter 3 (text/gone.xhtml) is missing from the file'],
  )
})

test('pictures and scanned PDFs are read by OCR, offline', async () => {
  const picture = makePicture(['Invoice number 4711', 'Total amount 250 dollars'])
  const image = await extract(picture, 'scan.png')
  assert.match(image.text, /Invoice number 4711/)
  assert.deepEqual(image.ocr?.pages, [1])
  const scan = await makePdf((pdf) => {
    pdf.text('A page with text enough to need no recognition of letters.')
    pdf.addPage().image(Buffer.from(picture), 0, 0, { width: 500 })
  })
  const document = await extract(scan, 'scan.pdf')
  assert.match(document.pages[1]!.text, /Total amount 250 dollars/)
  assert.deepEqual(document.ocr?.pages, [2])
  assert.equal(document.pages.map((page) => page.text).join(''), document.text)
  const unread = await extract(scan, 'scan.pdf', { ocr: false })
  assert.ok(unread.warnings.some((one) => one.kind === 'ocr'))
})
