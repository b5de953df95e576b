import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { closeDocumentPools } from '@troupe/tools/document-pool'
import { decodeText } from '@troupe/tools/documents/encoding'
import { extract } from './files.ts'

after(closeDocumentPools)

/** Encodes by inverting the runtime's decoder: what it decodes to a character encodes it. */
function encode(text: string, encoding: string): Uint8Array {
  const decoder = new TextDecoder(encoding)
  const bytes = new Map<string, number[]>()
  for (let first = 0; first < 256; first++) {
    const single = decoder.decode(Uint8Array.of(first))
    if (single.length === 1 && single !== '\ufffd' && !bytes.has(single)) bytes.set(single, [first])
  }
  if (/jis|euc|gb|big5/.test(encoding)) {
    for (let first = 0x81; first < 0xff; first++) {
      for (let second = 0x40; second < 0xff; second++) {
        const double = decoder.decode(Uint8Array.of(first, second))
        if (double.length === 1 && double !== '\ufffd' && !bytes.has(double)) bytes.set(double, [first, second])
      }
    }
  }
  return Uint8Array.from([...text].flatMap((letter) => bytes.get(letter) ?? [63]))
}

const TEXTS: [encoding: string, text: string][] = [
  ['windows-1252', 'Der Geschäftsführer grüßt die Gäste – „schön“, daß Sie da sind. Café, naïve, señor, €5.'],
  ['shift_jis', 'これは日本語の文書です。会議は来週の月曜日に行われます。よろしくお願いします。'],
  ['euc-jp', 'これは日本語の文書です。会議は来週の月曜日に行われます。よろしくお願いします。'],
  ['gb18030', '这是一个中文的文件，我们在这里说明合同的条款和条件，请你们仔细阅读。'],
  ['big5', '這是一個中文的文件，我們在這裡說明合同的條款和條件，請你們仔細閱讀。'],
  ['euc-kr', '이것은 한국어로 작성된 문서입니다. 회의는 다음 주 월요일에 있습니다.'],
  ['windows-1251', 'Это документ на русском языке, в котором описаны условия договора.'],
  ['koi8-r', 'Это документ на русском языке, в котором описаны условия договора.'],
  ['windows-1250', 'Příliš žluťoučký kůň úpěl ďábelské ódy, řekl český ředitel včera večer.'],
]

for (const [encoding, text] of TEXTS) {
  test(`text in ${encoding} is recognised without being told`, () => {
    const decoded = decodeText(encode(text, encoding))
    assert.equal(decoded.text, text)
    assert.equal(decoded.encoding, encoding)
  })
}

test('byte-order marks decide and are no part of the text', () => {
  const wide = (text: string) => new Uint8Array(Buffer.from(text, 'utf16le'))
  assert.equal(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)).text, 'a')
  assert.equal(decodeText(wide('\ufeffBäume')).text, 'Bäume')
  assert.equal(decodeText(wide('\ufeffBäume').map((_, index, all) => all[index ^ 1]!)).text, 'Bäume')
  assert.equal(decodeText(Uint8Array.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0, 0x0a, 0xf6, 1, 0)).text, 'a\u{1f60a}')
})

test('UTF-16 without a mark is told by where its zeros stand', () => {
  const decoded = decodeText(new Uint8Array(Buffer.from('Plain English text', 'utf16le')))
  assert.deepEqual([decoded.text, decoded.encoding], ['Plain English text', 'utf-16le'])
})

test('a file that mixes UTF-8 and windows-1252 is read line by line, and said so', async () => {
  const bytes = new Uint8Array([
    ...Buffer.from('Müller;Zürich\n'),
    ...encode('Jäger;Köln\n', 'windows-1252'),
    ...Buffer.from('Weiß;Fürth\n'),
  ])
  const document = await extract(bytes, 'people.csv')
  assert.deepEqual(
    document.tables[0]?.rows.map((row) => row.join(' ')),
    ['Jäger Köln', 'Weiß Fürth'],
  )
  assert.ok(document.warnings.some((one) => one.kind === 'mixed_encodings'))
})

test('a declared charset is believed where the bytes allow it', async () => {
  const html = '<html><head><meta charset="iso-8859-2"></head><body><p>Łódź</p></body></html>'
  const document = await extract(encode(html, 'iso-8859-2'), 'a.html')
  assert.match(document.text, /Łódź/)
})
