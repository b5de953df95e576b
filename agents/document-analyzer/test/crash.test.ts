import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { crashEverywhere } from '@troupe/sdk/testing'
import { closeDocumentPools } from '@troupe/tools/document-pool'
import analyzer from '../index.ts'

after(closeDocumentPools)

test('a crash at any commit changes nothing in the outcome', async () => {
  const input = {
    document: {
      text: 'Dear Dr. Weber, the first part of € 4.2 million is due on 12 March 2025. The second part is due later.',
    },
    question: 'When is the first part due?',
    ocr: true,
    summarySentences: 3,
  }
  const report = await crashEverywhere(analyzer, input, { services: {} })
  assert.ok(report.commits > 5)
  assert.deepEqual(report.differences, [])
  assert.deepEqual(report.gaps, [])
})
