// A batch with every kind of bad file in it: each is named as what it is, and the good ones beside them do not notice.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import insight from '@troupe/business-intelligence'
import analyzer from '@troupe/document-analyzer'
import quality from '@troupe/quality-assurance'
import { type RunOptions, runAgent } from '@troupe/sdk/testing'
import { closeDocumentPools } from '@troupe/tools/document-pool'
import { zipSync } from 'fflate'
import { makePdf, makeXlsx } from '../../../test/tools/files.ts'
import intake from '../index.ts'
import type { FileResult } from '../shapes.ts'

after(closeDocumentPools)

const others = [analyzer, quality, insight] as NonNullable<RunOptions['others']>
const letter = 'Minutes of the meeting.\n\nThe committee met and agreed to renew the lease of the office for two years.'

test('in a batch of hostile files each fails or is judged alone, and the good ones are accepted', async () => {
  const entries: Record<string, Uint8Array> = {}
  for (let index = 0; index < 100_000; index++) entries[`${index}`] = new Uint8Array(0)
  const files: [id: string, name: string, content: Uint8Array | string, ends: RegExp][] = [
    ['empty', 'a.pdf', '', /^failed .*empty/],
    ['truncated', 'a.xlsx', (await makeXlsx()).slice(0, 700), /^failed /],
    [
      'locked',
      'a.pdf',
      await makePdf((pdf) => void pdf.text('secret'), { userPassword: 'x', ownerPassword: 'y' }),
      /^(failed|refused) /,
    ],
    ['many', 'a.zip', zipSync(entries, { level: 0 }), /^failed .*entries/],
    ['bomb', 'a.docx', zipSync({ 'word/document.xml': new Uint8Array(40 * 1024 * 1024) }), /^failed .*unpack/],
    ['program', 'a.docx', Buffer.from(`\x7fELF\x02\x01\x01${'\0'.repeat(60)}`, 'latin1'), /^failed /],
    ['good', 'minutes.txt', letter, /^accepted /],
  ]
  const documents = Object.fromEntries(
    files.map(([id, name, content]) => [id, { name, mime: 'application/octet-stream', content }]),
  )
  const { task } = await runAgent(
    intake,
    { files: files.map(([id]) => ({ id })), atOnce: 3 },
    {
      others,
      services: { documents },
      patience: 120_000,
      onEvent({ body }, send) {
        if (body.type !== 'task.waiting' || body.for.kind !== 'person') return
        // The only one that can be read and may still be doubted.
        const file = files.findIndex(([id]) => id === 'locked')
        send({ type: 'decide', file, accept: false, by: 'ada' })
      },
    },
  )
  assert.equal(task.state, 'completed', JSON.stringify(task.error))
  const results = (task.output as { files: FileResult[] }).files
  for (const [index, [id, , , ends]] of files.entries()) {
    const { stage, error = '', reasons } = results[index]!
    const ended = `${stage} ${error} ${reasons.join(' ')}`
    assert.match(ended, ends, `${id}: ${ended}`)
    assert.doesNotMatch(ended, /agent_crashed|task_poisoned|internal/, id)
  }
})
