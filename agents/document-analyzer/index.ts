// Document Analyzer: reads a document of any office format and says what it is, what it names and what it says.
//   machine.ts   the job as states        shapes.ts   input and output
//   steps/       one file for each thing the job does
import { defineAgent } from '@troupe/sdk'
import { machine } from './machine.ts'
import { input, output } from './shapes.ts'

export default defineAgent({
  name: 'document-analyzer',
  version: '1.0.0',
  description:
    'Reads a document (PDF, Word, Excel, PowerPoint, HTML, CSV, e-mail, scans …) and returns its structure, language, type, ' +
    'entities, key phrases, tables and a citing summary; indexes it and answers questions about it or a collection.',
  input,
  output,
  machine,
  restarts: { max: 3, within: '1m' },
  concurrency: 8,
})
