// The job, state by state; what was not asked for is left out. Each check adds its findings; the judgement comes last
// and depends on nothing but them and the policy, so the same findings always get the same verdict.
import { assign, setup } from 'xstate'
import { type Findings, judge } from './judge.ts'
import type { Report, Request } from './request.ts'
import { anomaliesFound, claimsChecked, complianceChecked, driftCompared, fetched, qualityChecked } from './steps.ts'

interface Context extends Findings {
  request: Request
}

export const machine = setup({
  types: { context: {} as Context, input: {} as Request, output: {} as Report },
  actors: { fetched, qualityChecked, driftCompared, anomaliesFound, complianceChecked, claimsChecked },
  guards: {
    hasSource: ({ context: { request } }) =>
      [request.dataset, request.reference, ...request.lookups.map((one) => one.dataset)].some(
        (dataset) => dataset?.source !== undefined,
      ),
    hasReference: ({ context }) => context.request.dataset !== undefined && context.request.reference !== undefined,
    hasDataset: ({ context }) => context.request.dataset !== undefined,
    hasAnalysis: ({ context }) => context.request.analysis !== undefined,
  },
}).createMachine({
  id: 'quality-assurance',
  context: ({ input }) => ({
    request: input,
    scores: undefined,
    violations: [],
    expectations: 0,
    anomalies: [],
    drift: undefined,
    compliance: [],
    claims: [],
    origins: [],
    warnings: [],
  }),
  initial: 'starting',
  states: {
    // Left as soon as it is entered: only a database has to be asked.
    starting: { always: [{ guard: 'hasSource', target: 'fetching' }, { target: 'checkingQuality' }] },
    fetching: {
      invoke: {
        id: 'fetch',
        src: 'fetched',
        input: ({ context }) => context.request,
        onDone: { target: 'checkingQuality', actions: assign(({ event }) => event.output) },
      },
    },
    checkingQuality: {
      invoke: {
        id: 'quality',
        src: 'qualityChecked',
        input: ({ context }) => context.request,
        onDone: [
          { guard: 'hasReference', target: 'comparingReference', actions: assign(({ event }) => event.output) },
          { guard: 'hasDataset', target: 'lookingForAnomalies', actions: assign(({ event }) => event.output) },
          { target: 'checkingCompliance', actions: assign(({ event }) => event.output) },
        ],
      },
    },
    comparingReference: {
      invoke: {
        id: 'drift',
        src: 'driftCompared',
        input: ({ context }) => context.request,
        onDone: { target: 'lookingForAnomalies', actions: assign({ drift: ({ event }) => event.output }) },
      },
    },
    lookingForAnomalies: {
      invoke: {
        id: 'anomalies',
        src: 'anomaliesFound',
        input: ({ context }) => context.request,
        onDone: { target: 'checkingCompliance', actions: assign({ anomalies: ({ event }) => event.output }) },
      },
    },
    checkingCompliance: {
      invoke: {
        id: 'compliance',
        src: 'complianceChecked',
        input: ({ context }) => context.request,
        onDone: [
          {
            guard: 'hasAnalysis',
            target: 'checkingClaims',
            actions: assign({ compliance: ({ event }) => event.output }),
          },
          { target: 'judged', actions: assign({ compliance: ({ event }) => event.output }) },
        ],
      },
    },
    checkingClaims: {
      invoke: {
        id: 'claims',
        src: 'claimsChecked',
        input: ({ context }) => context.request,
        onDone: { target: 'judged', actions: assign({ claims: ({ event }) => event.output }) },
      },
    },
    judged: { type: 'final' },
  },
  output: ({ context: { request, ...findings } }) => {
    const { scores, drift, ...rest } = findings
    return {
      ...judge(findings, request),
      ...(scores === undefined ? {} : { scores }),
      ...(drift === undefined ? {} : { drift }),
      ...rest,
    }
  },
})
