// The job, state by state. What goes wrong in the parts that are extras (the forecast, the charts) becomes a warning;
// without its table the task fails.
import type { TableProfile } from '@troupe/tools/profile-table'
import type { Origin } from '@troupe/tools/tables/dataset'
import { assign, setup } from 'xstate'
import type { Answer, KeyFigure, QuestionAnswer, Request } from './request.ts'
import {
  answered,
  chartsDrawn,
  fetched,
  forecastMade,
  insightsFound,
  type MadeForecast,
  profiled,
  reportWritten,
} from './steps.ts'
import { summarise } from './write-up.ts'

interface Context {
  request: Request
  origin: Origin | undefined
  profile: TableProfile
  keyFigures: KeyFigure[]
  answer: QuestionAnswer | undefined
  insights: Answer['insights']
  tested: number
  forecast: MadeForecast | undefined
  charts: Answer['charts']
  reports: Record<string, string>
  warnings: string[]
}

export const machine = setup({
  types: { context: {} as Context, input: {} as Request, output: {} as Answer },
  actors: { fetched, profiled, answered, insightsFound, forecastMade, chartsDrawn, reportWritten },
  actions: {
    warn: assign({
      warnings: ({ context }, { what, error }: { what: string; error: unknown }) => [
        ...context.warnings,
        `no ${what}: ${reason(error)}`,
      ],
    }),
  },
  guards: {
    hasSource: ({ context }) => context.request.dataset.source !== undefined,
    hasQuestion: ({ context }) => context.request.question !== undefined,
    wantsForecast: ({ context }) =>
      context.request.forecastPeriods > 0 && context.profile.columns.some((column) => column.role === 'time'),
    wantsCharts: ({ context }) => context.request.charts > 0,
    wantsReport: ({ context }) => context.request.report.length > 0,
  },
}).createMachine({
  id: 'business-intelligence',
  context: ({ input }) => ({
    request: input,
    origin: undefined,
    profile: { table: 'data', rowCount: 0, columns: [] },
    keyFigures: [],
    answer: undefined,
    insights: [],
    tested: 0,
    forecast: undefined,
    charts: [],
    reports: {},
    warnings: [],
  }),
  initial: 'starting',
  states: {
    // Left as soon as it is entered: only a database has to be asked.
    starting: { always: [{ guard: 'hasSource', target: 'fetching' }, { target: 'profiling' }] },
    fetching: {
      invoke: {
        id: 'fetch',
        src: 'fetched',
        input: ({ context }) => context.request,
        onDone: { target: 'profiling', actions: assign(({ event }) => event.output) },
      },
    },
    profiling: {
      invoke: {
        id: 'profile',
        src: 'profiled',
        input: ({ context }) => context.request,
        onDone: [
          { guard: 'hasQuestion', target: 'answering', actions: assign(({ event }) => event.output) },
          { target: 'findingInsights', actions: assign(({ event }) => event.output) },
        ],
      },
    },
    answering: {
      invoke: {
        id: 'answer',
        src: 'answered',
        input: ({ context }) => ({ request: context.request, profile: context.profile }),
        onDone: { target: 'findingInsights', actions: assign({ answer: ({ event }) => event.output }) },
      },
    },
    findingInsights: {
      invoke: {
        id: 'insights',
        src: 'insightsFound',
        input: ({ context }) => context.request,
        onDone: [
          { guard: 'wantsForecast', target: 'forecasting', actions: assign(({ event }) => event.output) },
          { guard: 'wantsCharts', target: 'drawing', actions: assign(({ event }) => event.output) },
          { guard: 'wantsReport', target: 'writingReport', actions: assign(({ event }) => event.output) },
          { target: 'done', actions: assign(({ event }) => event.output) },
        ],
      },
    },
    forecasting: {
      invoke: {
        id: 'forecast',
        src: 'forecastMade',
        input: ({ context }) => context.request,
        onDone: [
          { guard: 'wantsCharts', target: 'drawing', actions: assign({ forecast: ({ event }) => event.output }) },
          { guard: 'wantsReport', target: 'writingReport', actions: assign({ forecast: ({ event }) => event.output }) },
          { target: 'done', actions: assign({ forecast: ({ event }) => event.output }) },
        ],
        onError: [
          {
            guard: 'wantsCharts',
            target: 'drawing',
            actions: { type: 'warn', params: ({ event }) => ({ what: 'forecast', error: event.error }) },
          },
          {
            guard: 'wantsReport',
            target: 'writingReport',
            actions: { type: 'warn', params: ({ event }) => ({ what: 'forecast', error: event.error }) },
          },
          {
            target: 'done',
            actions: { type: 'warn', params: ({ event }) => ({ what: 'forecast', error: event.error }) },
          },
        ],
      },
    },
    drawing: {
      invoke: {
        id: 'charts',
        src: 'chartsDrawn',
        input: ({ context }) => ({ request: context.request, insights: context.insights, forecast: context.forecast }),
        onDone: [
          { guard: 'wantsReport', target: 'writingReport', actions: assign({ charts: ({ event }) => event.output }) },
          { target: 'done', actions: assign({ charts: ({ event }) => event.output }) },
        ],
        onError: [
          {
            guard: 'wantsReport',
            target: 'writingReport',
            actions: { type: 'warn', params: ({ event }) => ({ what: 'charts', error: event.error }) },
          },
          {
            target: 'done',
            actions: { type: 'warn', params: ({ event }) => ({ what: 'charts', error: event.error }) },
          },
        ],
      },
    },
    writingReport: {
      invoke: {
        id: 'report',
        src: 'reportWritten',
        input: ({ context }) => ({ formats: context.request.report, findings: context }),
        onDone: { target: 'done', actions: assign({ reports: ({ event }) => event.output }) },
      },
    },
    done: { type: 'final' },
  },
  output: ({ context }) => {
    const { origin, profile, keyFigures, answer, insights, tested, forecast, charts, reports, warnings } = context
    return {
      summary: summarise(context),
      ...(origin === undefined ? {} : { origin }),
      table: {
        rowCount: profile.rowCount,
        columns: profile.columns.map(({ name, type, role, nulls, distinct }) => ({
          name,
          type,
          role,
          nulls,
          distinct,
        })),
      },
      keyFigures,
      ...(answer === undefined ? {} : { answer }),
      insights,
      tested,
      ...(forecast === undefined
        ? {}
        : {
            forecast: {
              measure: forecast.measure,
              grain: forecast.grain,
              points: forecast.points,
              model: forecast.backTest.model,
              againstNaive: forecast.backTest.againstNaive,
              warnings: forecast.warnings,
              sql: forecast.sql,
            },
          }),
      charts,
      reports,
      warnings,
    }
  },
})

function reason(error: unknown): string {
  return (error as { message?: string } | undefined)?.message ?? String(error)
}
