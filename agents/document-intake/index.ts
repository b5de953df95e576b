// document-intake: agents asking agents. Fan-out with a limit, join, a person in the middle, and nothing lost by a restart.
//   machine.ts          the stages of the whole batch
//   work.ts             the course of one file
//   index-accepted.ts   into the collection, once it is accepted
//   shapes.ts           input, output, and what a person may say
import { defineAgent } from '@troupe/sdk'
import { machine } from './machine.ts'
import { decide, input, output } from './shapes.ts'

export default defineAgent({
  name: 'document-intake',
  version: '1.0.0',
  description: 'Analyses a batch of files, checks each, asks a person where the check warns, and reports on tables',
  input,
  output,
  messages: { decide },
  machine,
})
