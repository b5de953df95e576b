// business-intelligence: a dataset and perhaps a question to a profile, key figures, ranked insights, a forecast,
// charts and a report; for every number the SQL that produces it.
//   index.ts      the agent
//   machine.ts    its states, which read like the job
//   steps.ts      what each state does, with the tools
//   request.ts    what a caller sends, and what the agent answers
//   answer.ts     a question to SQL: by the grammar, or by a language model whose SQL is checked before it runs
//   figures.ts    key figures and the queries behind them
//   charts.ts     which chart shows an insight
//   write-up.ts   the report's content
import { defineAgent } from '@troupe/sdk'
import { machine } from './machine.ts'
import { answer, request } from './request.ts'

export default defineAgent({
  name: 'business-intelligence',
  version: '1.0.0',
  description: 'Finds what a dataset says: insights, forecasts, charts and a report, with the SQL behind every number',
  input: request,
  output: answer,
  machine,
})
