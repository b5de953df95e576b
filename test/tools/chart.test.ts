// A chart's title: whole words in lines that stay within the picture, whatever the letters.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Resvg } from '@resvg/resvg-js'
import { chart } from '@troupe/tools/chart'
import { closeDocumentPools } from '@troupe/tools/document-pool'
import { MOST_LINES, titleLines } from '../../tools/charts/title.ts'

after(closeDocumentPools)

const draw = (title: string, more: object = {}) =>
  chart.call({ kind: 'line', title, x: ['a', 'b'], series: [{ name: 's', values: [1, 2] }], ...more } as never, {
    signal: AbortSignal.timeout(30_000),
  })

/** How far to the right something is drawn in the rows of the title, in pixels of the picture. */
function inkedTo(svg: string, rows: number): { width: number; right: number } {
  const { width, pixels } = new Resvg(svg, { background: 'white', font: { defaultFontFamily: 'DejaVu Sans' } }).render()
  let right = 0
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < width; x++) if (pixels[(y * width + x) * 4]! < 200) right = Math.max(right, x)
  }
  return { width, right }
}

const TITLES = {
  'a sentence':
    'revenue is far below its usual course in 2024-05: 25,839, while the periods around it have 48,020 on average.',
  'wide letters': 'WHOM MOM WARMS '.repeat(12),
  'one long word': 'm'.repeat(250),
  'full-width letters': '売上高は通常の推移を大きく下回っています'.repeat(8),
}
for (const [what, title] of Object.entries(TITLES)) {
  test(`a title of ${what} stays within the picture`, async () => {
    for (const width of [300, 900]) {
      const { svg } = await draw(title, { width })
      const drawn = inkedTo(svg, 8 + MOST_LINES * 20)
      assert.ok(drawn.right > 0 && drawn.right < drawn.width - 4, `${drawn.right} of ${drawn.width}`)
    }
  })
}

test('every word of a title that fits is there, and what does not fit ends with an ellipsis', () => {
  const sentence = TITLES['a sentence']
  assert.equal(titleLines(sentence, 876, 15).join(' '), sentence)
  assert.deepEqual(titleLines('short', 876, 15), ['short'])
  assert.deepEqual(titleLines('', 876, 15), [])
  const long = titleLines(sentence, 160, 15)
  assert.equal(long.length, MOST_LINES)
  assert.match(long.at(-1)!, /…$/)
})

test('the plot makes room for a title of several lines', async () => {
  const top = async (title: string) => {
    const { svg } = await draw(title)
    return Math.min(...[...svg.matchAll(/<path d="M[\d.]+ ([\d.]+)L/g)].map(([, y]) => Number(y)))
  }
  assert.equal((await top(TITLES['a sentence'])) - (await top('short')), 20)
})
