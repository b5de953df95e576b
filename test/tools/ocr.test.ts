import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recognise } from '../../tools/documents/ocr.ts'

test('tesseract that could not start is started anew for the next picture', async () => {
  const image = new Uint8Array()
  await assert.rejects(
    recognise(image, () => Promise.reject(new Error('no thread to be had'))),
    /no thread to be had/,
  )
  const read = { data: { text: 'words', confidence: 90 } }
  const found = await recognise(image, async () => ({ recognize: async () => read as never }))
  assert.deepEqual(found, { text: 'words', confidence: 0.9 })
})
