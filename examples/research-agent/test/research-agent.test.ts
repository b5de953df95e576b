import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineAgent } from '@troupe/sdk'
import { crashEverywhere, runAgent } from '@troupe/sdk/testing'
import { z } from 'zod'
import research from '../index.ts'

const analyzer = defineAgent({
  name: 'document-analyzer',
  version: '1.0.0',
  description: 'Answers with the question in capitals',
  input: z.object({ document: z.object({ text: z.string() }), question: z.string() }),
  output: z.object({ answer: z.string() }),
  run: ({ input }) => ({ answer: input.question.toUpperCase() }),
})
const input = { text: 'A short text.', questions: ['who', 'when'] }

test('each question is answered by a child task, in order', async () => {
  const { task } = await runAgent(research, input, { others: [analyzer] })
  assert.deepEqual(task.output, {
    findings: [
      { question: 'who', answer: 'WHO' },
      { question: 'when', answer: 'WHEN' },
    ],
  })
})

test('a crash at any commit changes nothing in the outcome', async () => {
  const report = await crashEverywhere(research, input, { others: [analyzer] })
  assert.deepEqual([report.differences, report.gaps], [[], []])
})
