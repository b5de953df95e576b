// quality-assurance: a dataset, a document or another task's output to violations, anomalies, drift, compliance
// findings, unsupported claims, and a verdict (pass, warn, fail) that can gate a pipeline.
//   index.ts            the agent
//   machine.ts          its states, which read like the job
//   steps.ts            what each state does, with the tools
//   request.ts          what a caller sends and what the agent answers
//   policy.ts           what is tolerated
//   document.ts         where a text comes from
//   document-checks.ts  what is wrong with a text as a text
//   claims.ts           another agent's output to statements that can be checked
//   judge.ts            findings and policy to the verdict, with its reasons
import { defineAgent } from '@troupe/sdk'
import { machine } from './machine.ts'
import { report, request } from './request.ts'

export default defineAgent({
  name: 'quality-assurance',
  version: '1.0.0',
  description:
    'Checks datasets, documents and analyses: violations with rows, scores, anomalies, drift, compliance, claims; pass, warn or fail',
  input: request,
  output: report,
  machine,
})
