// The job: read → tell the language → look at it from four sides at once → index → answer.
// The whole text never enters the state: it lies in the document store, and the steps read it there. A side view that
// fails costs a warning, not the task; what cannot be read fails it.
import { assign, setup } from 'xstate'
import type {
  AnalysisWarning,
  Answer,
  DocumentType,
  Input,
  KeyPhrase,
  Language,
  Output,
  ReadDocument,
  Summary,
} from './shapes.ts'
import { answerQuestion } from './steps/answer.ts'
import { classifyType } from './steps/classify.ts'
import { type FoundEntity, findEntities } from './steps/entities.ts'
import { type Indexed, indexDocument } from './steps/index-document.ts'
import { findKeyPhrases } from './steps/key-phrases.ts'
import { tellLanguage } from './steps/language.ts'
import { readTheDocument } from './steps/read.ts'
import { summariseDocument } from './steps/summarise.ts'

export interface Context {
  input: Input
  document?: ReadDocument
  language?: Language
  type?: DocumentType
  entities: FoundEntity[]
  keyPhrases: KeyPhrase[]
  summary?: Summary
  indexed?: { collection: string; passages: number }
  answer?: Answer
  warnings: AnalysisWarning[]
}

export const machine = setup({
  types: { context: {} as Context, input: {} as Input, output: {} as Output },
  actors: {
    readTheDocument,
    tellLanguage,
    classifyType,
    findEntities,
    findKeyPhrases,
    summariseDocument,
    indexDocument,
    answerQuestion,
  },
  actions: {
    noteRead: assign(
      ({ context }, { document, warnings }: { document: ReadDocument; warnings: AnalysisWarning[] }) => ({
        document,
        warnings: [...context.warnings, ...warnings],
      }),
    ),
    noteIndexed: assign(({ context }, { indexed, warnings }: Indexed) => ({
      ...(indexed === undefined ? {} : { indexed }),
      warnings: [...context.warnings, ...warnings],
    })),
    noteDegraded: assign(({ context }, { what, error }: { what: string; error: unknown }) => {
      const reason = error instanceof Error ? error.message : String(error)
      return { warnings: [...context.warnings, { kind: 'degraded' as const, message: `${what}: ${reason}` }] }
    }),
  },
  guards: {
    hasDocument: ({ context }) => context.input.document !== undefined,
    wantsIndex: ({ context }) => context.input.collection !== undefined,
    wantsAnswer: ({ context }) => context.input.question !== undefined,
  },
}).createMachine({
  id: 'document-analyzer',
  context: ({ input }) => ({ input, entities: [], keyPhrases: [], warnings: [] }),
  initial: 'starting',
  states: {
    // Left as soon as it is entered: a question to a collection needs no document.
    starting: { always: [{ guard: 'hasDocument', target: 'reading' }, { target: 'answering' }] },
    reading: {
      invoke: {
        src: 'readTheDocument',
        input: ({ context }) => context.input,
        onDone: [
          {
            guard: ({ event }) => event.output.document.textDocument === undefined,
            target: 'done',
            actions: { type: 'noteRead', params: ({ event }) => event.output },
          },
          { target: 'tellingLanguage', actions: { type: 'noteRead', params: ({ event }) => event.output } },
        ],
      },
    },
    tellingLanguage: {
      invoke: {
        src: 'tellLanguage',
        input: ({ context }) => ({ textDocument: context.document!.textDocument! }),
        onDone: { target: 'understanding', actions: assign(({ event }) => ({ language: event.output })) },
        onError: {
          target: 'understanding',
          actions: {
            type: 'noteDegraded',
            params: ({ event }) => ({ what: 'The language could not be told', error: event.error }),
          },
        },
      },
    },
    understanding: {
      type: 'parallel',
      onDone: [
        { guard: 'wantsIndex', target: 'indexing' },
        { guard: 'wantsAnswer', target: 'answering' },
        { target: 'done' },
      ],
      states: {
        type: {
          initial: 'classifying',
          states: {
            classifying: {
              invoke: {
                src: 'classifyType',
                input: ({ context }) => ({
                  textDocument: context.document!.textDocument!,
                  format: context.document!.format,
                }),
                onDone: {
                  target: 'known',
                  actions: assign(({ context, event }) => ({
                    type: event.output.type,
                    warnings: [...context.warnings, ...event.output.warnings],
                  })),
                },
                onError: {
                  target: 'known',
                  actions: {
                    type: 'noteDegraded',
                    params: ({ event }) => ({ what: 'The document’s type could not be told', error: event.error }),
                  },
                },
              },
            },
            known: { type: 'final' },
          },
        },
        entities: {
          initial: 'finding',
          states: {
            finding: {
              invoke: {
                src: 'findEntities',
                input: ({ context }) => ({
                  textDocument: context.document!.textDocument!,
                  format: context.document!.format,
                  pageStarts: context.document!.pageStarts,
                  kinds: context.input.entities,
                  dayFirst: context.input.dayFirst,
                }),
                onDone: {
                  target: 'found',
                  actions: assign(({ context, event }) => ({
                    entities: event.output.entities,
                    warnings: [...context.warnings, ...event.output.warnings],
                  })),
                },
                onError: {
                  target: 'found',
                  actions: {
                    type: 'noteDegraded',
                    params: ({ event }) => ({ what: 'Entities could not be found', error: event.error }),
                  },
                },
              },
            },
            found: { type: 'final' },
          },
        },
        keyPhrases: {
          initial: 'finding',
          states: {
            finding: {
              invoke: {
                src: 'findKeyPhrases',
                input: ({ context }) => ({
                  textDocument: context.document!.textDocument!,
                  format: context.document!.format,
                  language: context.language?.code ?? 'en',
                }),
                onDone: { target: 'found', actions: assign(({ event }) => ({ keyPhrases: event.output })) },
                onError: {
                  target: 'found',
                  actions: {
                    type: 'noteDegraded',
                    params: ({ event }) => ({ what: 'Key phrases could not be found', error: event.error }),
                  },
                },
              },
            },
            found: { type: 'final' },
          },
        },
        summary: {
          initial: 'writing',
          states: {
            writing: {
              invoke: {
                src: 'summariseDocument',
                input: ({ context }) => ({
                  textDocument: context.document!.textDocument!,
                  format: context.document!.format,
                  language: context.language?.code ?? 'en',
                  sentences: context.input.summarySentences,
                  headings: context.document!.structure.headings,
                  tables: context.document!.tables.map((table) => ({ ...table, rows: [] })),
                  pageStarts: context.document!.pageStarts,
                }),
                onDone: {
                  target: 'written',
                  actions: assign(({ context, event }) => ({
                    summary: event.output.summary,
                    warnings: [...context.warnings, ...event.output.warnings],
                  })),
                },
                onError: {
                  target: 'written',
                  actions: {
                    type: 'noteDegraded',
                    params: ({ event }) => ({ what: 'The summary could not be written', error: event.error }),
                  },
                },
              },
            },
            written: { type: 'final' },
          },
        },
      },
    },
    indexing: {
      invoke: {
        src: 'indexDocument',
        input: ({ context }) => ({
          collection: context.input.collection!,
          document: context.document!,
          type: context.type?.label,
          language: context.language?.code,
        }),
        onDone: [
          {
            guard: 'wantsAnswer',
            target: 'answering',
            actions: { type: 'noteIndexed', params: ({ event }) => event.output },
          },
          { target: 'done', actions: { type: 'noteIndexed', params: ({ event }) => event.output } },
        ],
      },
    },
    answering: {
      invoke: {
        src: 'answerQuestion',
        input: ({ context }) => ({
          question: context.input.question!,
          language: context.language?.code ?? 'en',
          collection: context.input.collection,
          document: context.document,
        }),
        onDone: {
          target: 'done',
          actions: assign(({ context, event }) => ({
            answer: event.output.answer,
            warnings: [...context.warnings, ...event.output.warnings],
          })),
        },
      },
    },
    done: { type: 'final' },
  },
  output: ({ context }) => toOutput(context),
})

function toOutput(context: Context): Output {
  const { language, type, entities, keyPhrases, summary, indexed, answer, warnings } = context
  const output: Output = { entities, keyPhrases, warnings }
  if (context.document !== undefined) {
    const { pageStarts: _, ...document } = context.document
    output.document = document
  }
  return Object.assign(
    output,
    language && { language },
    type && { type },
    summary && { summary },
    indexed && { indexed },
    answer && { answer },
  )
}
