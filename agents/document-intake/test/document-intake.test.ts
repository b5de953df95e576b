import assert from 'node:assert/strict'
import { test } from 'node:test'
import insight from '@troupe/business-intelligence'
import analyzer from '@troupe/document-analyzer'
import quality from '@troupe/quality-assurance'
import { crashEverywhere, type RunOptions, runAgent } from '@troupe/sdk/testing'
import intake from '../index.ts'

const others = [analyzer, quality, insight] as NonNullable<RunOptions['others']>

const table = [
  'day,revenue',
  ...Array.from(
    { length: 40 },
    (_, n) => `2024-${n < 31 ? '01' : '02'}-${String((n % 31) + 1).padStart(2, '0')},${100 + n}`,
  ),
].join('\n')
const letter = 'Minutes of the meeting.\n\nThe committee met and agreed to renew the lease of the office for two years.'
const personal = 'Please send the contract to ada.lovelace@example.com and call her on +44 20 7946 0958.'

test('files run through analyzer, check and report, and a person decides where the check warns', async () => {
  const asked: number[] = []
  const { task } = await runAgent(
    intake,
    {
      files: [
        { text: letter, name: 'minutes.txt' },
        { text: table, name: 'sales.csv' },
        { text: personal, name: 'note.txt' },
      ],
      atOnce: 2,
    },
    {
      others,
      patience: 60_000,
      onEvent({ body }, send) {
        if (body.type !== 'task.waiting' || body.for.kind !== 'person') return
        asked.push(2)
        send({ type: 'decide', file: 2, accept: false, by: 'ada' })
      },
    },
  )
  assert.equal(task.state, 'completed', JSON.stringify(task.error))
  const { files, refused, accepted } = task.output as {
    files: { stage: string; verdict: string; decidedBy?: string }[]
    refused: number
    accepted: number
  }
  assert.deepEqual(
    files.map(({ stage }) => stage),
    ['accepted', 'accepted', 'refused'],
  )
  assert.equal(files[2]?.decidedBy, 'ada')
  assert.deepEqual([accepted, refused, asked.length > 0], [2, 1, true])
})

test('only what is accepted gets into the collection, once it is', async () => {
  const indexed: { collection: string; documentId: string; text: string }[] = []
  let before = -1
  const { task } = await runAgent(
    intake,
    {
      files: [{ id: 'letter' }, { id: 'refused' }, { id: 'allowed' }],
      collection: 'office',
    },
    {
      others,
      patience: 60_000,
      services: {
        documents: Object.fromEntries(
          [letter, personal, personal].map((content, index) => [
            ['letter', 'refused', 'allowed'][index],
            { name: `${index}.txt`, mime: 'text/plain', content },
          ]),
        ),
        retrieval: {
          async upsert(collection, documents) {
            for (const { documentId, text } of documents as { documentId: string; text: string }[]) {
              indexed.push({ collection, documentId, text })
            }
            return { stored: 1, replaced: 0, unchanged: 0, passages: 1 }
          },
        },
      },
      onEvent({ body }, send) {
        if (body.type !== 'task.waiting' || body.for.kind !== 'person' || before >= 0) return
        before = indexed.length
        send({ type: 'decide', file: 1, accept: false, by: 'ada' })
        send({ type: 'decide', file: 2, accept: true, by: 'ada' })
      },
    },
  )
  assert.equal(task.state, 'completed', JSON.stringify(task.error))
  assert.equal(before, 1)
  assert.deepEqual(
    indexed.map(({ collection, documentId }) => `${collection} ${documentId}`),
    ['office letter', 'office allowed'],
  )
  assert.match(indexed[1]!.text, /ada\.lovelace/)
})

test('what cannot be indexed is accepted, and says so', async () => {
  const { task } = await runAgent(
    intake,
    { files: [{ text: table, name: 'sales.csv' }], collection: 'office' },
    { others, patience: 60_000 },
  )
  const { files } = task.output as { files: { stage: string; error?: string; insights: string[] }[] }
  assert.equal(files[0]?.stage, 'accepted')
  assert.match(files[0]?.error ?? '', /^Not indexed: /)
  assert.ok(files[0].insights.length > 0)
})

test('a file that cannot be read fails alone', async () => {
  const { task } = await runAgent(
    intake,
    { files: [{ id: 'doc_missing' }, { text: letter, name: 'minutes.txt' }] },
    { others, patience: 60_000 },
  )
  const { files } = task.output as { files: { stage: string; error?: string }[] }
  assert.deepEqual(
    files.map(({ stage }) => stage),
    ['failed', 'accepted'],
  )
  assert.match(files[0]?.error ?? '', /doc_missing/)
})

test('killed at each commit, the batch ends the same', async () => {
  const report = await crashEverywhere(
    intake,
    { files: [{ text: letter, name: 'minutes.txt' }], report: false },
    { others, patience: 60_000 },
  )
  assert.ok(report.commits >= 4, `${report.commits} commits`)
  assert.deepEqual(report.differences, [])
  assert.deepEqual(report.gaps, [])
})
