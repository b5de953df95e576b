// The intake: every file goes its way through the other agents, so many at a time; where the check warns a person decides.
// A child of file 3 in its second stage is `checking-3`: its id says whose answer comes back.
import { ask } from '@troupe/sdk'
import { enqueueActions, setup } from 'xstate'
import { indexAccepted } from './index-accepted.ts'
import type { Decision, File, FileResult, Input } from './shapes.ts'
import { answered, begin, decided, failed, RUNNING, type Work } from './work.ts'

interface Context {
  request: Input
  work: Work[]
}

interface ChildEvent {
  actorId: string
  output?: unknown
  error?: unknown
}

export const machine = setup({
  types: {
    context: {} as Context,
    input: {} as Input,
    events: {} as { type: 'decide' } & Decision,
  },
  actors: {
    analysing: ask('document-analyzer'),
    checking: ask('quality-assurance'),
    indexing: indexAccepted,
    reporting: ask('business-intelligence'),
  },
  actions: {
    /** Starts the child of each file that is due, as far as there is room. */
    goOn: enqueueActions(({ enqueue, context }) => {
      const { work, request } = context
      const next = [...work]
      let room = request.atOnce - work.filter(isUnderWay).length
      for (const [index, file] of work.entries()) {
        if (file.stage !== 'queued' || room <= 0) continue
        room -= 1
        next[index] = { ...file, stage: 'analysing' }
        enqueue.spawnChild('analysing', { id: `analysing-${index}`, input: analysisOf(file.source) })
      }
      enqueue.assign({ work: next })
    }),
    /** A child answered: the file enters its next stage, which may have a child of its own. */
    takeAnswer: enqueueActions(({ enqueue, context, event }) => {
      const { actorId, output, error } = event as unknown as ChildEvent
      const index = Number(actorId.slice(actorId.indexOf('-') + 1))
      const file = context.work[index]!
      const next = error === undefined ? answered(file, output, context.request) : failed(file, error, context.request)
      enqueue.assign({ work: context.work.with(index, next) })
      if (next.stage === 'checking') enqueue.spawnChild('checking', { id: `checking-${index}`, input: checkOf(next) })
      if (next.stage === 'indexing')
        enqueue.spawnChild('indexing', { id: `indexing-${index}`, input: indexingOf(next, context.request) })
      if (next.stage === 'reporting')
        enqueue.spawnChild('reporting', { id: `reporting-${index}`, input: reportOf(next) })
    }),
    takeDecision: enqueueActions(({ enqueue, context, event }) => {
      const index = event.file
      const file = context.work[index]
      if (file === undefined) return
      const next = decided(file, event, context.request)
      enqueue.assign({ work: context.work.with(index, next) })
      if (file.stage !== 'deciding') return
      if (next.stage === 'indexing')
        enqueue.spawnChild('indexing', { id: `indexing-${index}`, input: indexingOf(next, context.request) })
      if (next.stage === 'reporting')
        enqueue.spawnChild('reporting', { id: `reporting-${index}`, input: reportOf(next) })
    }),
  },
  guards: {
    isDone: ({ context }) =>
      context.work.every(({ stage }) => stage === 'accepted' || stage === 'refused' || stage === 'failed'),
    needsPerson: ({ context }) =>
      context.work.some(({ stage }) => stage === 'deciding') &&
      !context.work.some((file) => isUnderWay(file) || file.stage === 'queued'),
  },
}).createMachine({
  id: 'document-intake',
  context: ({ input }) => ({ request: input, work: begin(input.files) }),
  initial: 'working',
  output: ({ context }) => {
    const count = (stage: string) => context.work.filter((file) => file.stage === stage).length
    return {
      accepted: count('accepted'),
      refused: count('refused'),
      failed: count('failed'),
      files: context.work.map(
        ({ source: _source, table: _table, indexable: _indexable, ...result }): FileResult => result,
      ),
    }
  },
  on: {
    'xstate.done.actor.*': { target: '.working', reenter: true, actions: 'takeAnswer' },
    'xstate.error.actor.*': { target: '.working', reenter: true, actions: 'takeAnswer' },
    decide: { target: '.working', reenter: true, actions: 'takeDecision' },
  } as never,
  states: {
    working: {
      entry: 'goOn',
      always: [
        { guard: 'isDone', target: 'done' },
        { guard: 'needsPerson', target: 'waitingForPerson' },
      ],
    },
    waitingForPerson: { tags: 'input-required' },
    done: { type: 'final' },
  },
})

function isUnderWay({ stage }: Work): boolean {
  return RUNNING.includes(stage)
}

function analysisOf({ id, text, name }: File) {
  return { document: id === undefined ? { text, ...(name === undefined ? {} : { name }) } : { id } }
}

function checkOf({ source: { id, text }, table }: Work) {
  const content = id === undefined ? { text } : { documentId: id }
  return table ? { dataset: content } : { document: content }
}

function indexingOf({ indexable }: Work, { collection }: Input) {
  return { collection: collection!, document: indexable! }
}

function reportOf({ source: { id, text } }: Work) {
  return { dataset: id === undefined ? { text } : { documentId: id }, charts: 0, report: [], forecastPeriods: 0 }
}
