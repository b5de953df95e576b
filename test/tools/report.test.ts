import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extractText, getDocumentProxy } from 'unpdf'
import { chart } from '../../tools/chart.ts'
import { report } from '../../tools/report.ts'

const context = { signal: new AbortController().signal }
const line = {
  kind: 'line',
  title: 'Revenue <by> month',
  x: ['2024-01', '2024-02', '2024-03'],
  series: [{ name: 'revenue', values: [1, null, 3], low: [0, 1, 2], high: [2, 3, 4] }],
}

test('a chart is an SVG with its title escaped, and a PNG when asked for', async () => {
  const { svg, png } = await chart.call({ ...line, png: true, marks: [{ x: '2024-02', label: 'break' }] }, context)
  assert.match(svg, /^<svg/)
  assert.match(svg, /Revenue &lt;by&gt; month/)
  const bytes = Buffer.from(png!, 'base64')
  assert.equal(bytes.subarray(1, 4).toString(), 'PNG')
  assert.equal(bytes.readUInt32BE(16), 1800)
})

test('bar and scatter charts, and charts without any value, are drawn', async () => {
  for (const kind of ['bar', 'scatter'] as const) {
    assert.match((await chart.call({ kind, x: [1, 2], series: [{ name: 'a', values: [3, 4] }] }, context)).svg, /^<svg/)
  }
  assert.match((await chart.call({ kind: 'line', x: [], series: [{ name: 'a', values: [] }] }, context)).svg, /^<svg/)
})

test('the same chart is the same bytes each time', async () => {
  assert.deepEqual(await chart.call(line, context), await chart.call(line, context))
})

test('a series that does not fit the places is refused', async () => {
  await assert.rejects(chart.call({ kind: 'bar', x: [1], series: [{ name: 'a', values: [1, 2] }] }, context), {
    code: 'invalid_input',
  })
})

const hostile = '<script>alert(1)</script>'
const content = {
  title: `Sales ${hostile}`,
  sections: [
    {
      heading: 'What happened',
      paragraphs: [`Zürich rose by 5 % ${hostile}`, '[click](http://bad) *now*'],
      bullets: ['one', 'two'],
      table: {
        columns: ['region', 'a|b'],
        rows: [
          ['north', 1.5],
          [hostile, null],
        ],
      },
      sources: [{ figure: 'revenue', value: '5', sql: 'SELECT 5' }],
    },
  ],
}

test('text from data becomes markup in no form', async () => {
  const { html, markdown } = await report.call({ content, formats: ['html', 'markdown'] }, context)
  assert.doesNotMatch(html!, /<script/)
  assert.doesNotMatch(markdown!, /(?<!\\)<script/)
  assert.doesNotMatch(markdown!, /(?<!\\)\[click/)
  assert.match(markdown!, /\| region \| a\\\|b \|/)
})

test('a PDF holds the text, the chart and the page numbers', async () => {
  const { png, svg } = await chart.call({ ...line, png: true }, context)
  const long = {
    ...content,
    sections: [{ heading: 'Chart', chart: { svg, png } }, ...Array.from({ length: 12 }, () => content.sections[0]!)],
  }
  const { pdf } = await report.call({ content: long, formats: ['pdf'] }, context)
  const { text, totalPages } = await extractText(await getDocumentProxy(new Uint8Array(Buffer.from(pdf!, 'base64'))), {
    mergePages: true,
  })
  assert.ok(totalPages >= 2 && totalPages <= 8, `${totalPages} pages`)
  assert.match(text, /Zürich rose by 5 %/)
  assert.match(text, new RegExp(`1 / ${totalPages}`))
})
