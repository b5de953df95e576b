// The samples as data: which file goes to which agent, and how its result reads.

export interface Sample {
  agent: string
  /** In examples/samples/. */
  files: string[]
  /** The ids of the stored files, in their order. */
  input(...documentIds: string[]): unknown
  /** What a person is asked for in between; the samples answer it, and say so. */
  answers?: { type: string; [key: string]: unknown }[]
  inWords(output: never): string[]
  /** Ids of documents that the agent made, by what they are. */
  documents(output: never): Record<string, string>
}

// Of the agents' outputs only what is shown.
interface Analysis {
  document: { format: string; pages: number; characters: number; fields: { label: string; value: string }[] }
  language?: { code: string }
  type?: { label: string; confidence: number }
  entities: { kind: string; text: string }[]
  keyPhrases: { text: string }[]
  summary?: { text: string }
}

interface Insights {
  summary: string
  table: { rowCount: number; columns: unknown[] }
  insights: { text: string }[]
  answer?: { question: string; rows: Record<string, unknown>[] }
  forecast?: { measure: string; model: string; points: { period: string; value: number }[] }
  reports: Record<string, string>
}

interface Quality {
  verdict: string
  scores?: { overall: number }
  reasons: { verdict: string; text: string }[]
}

interface Intake {
  accepted: number
  refused: number
  failed: number
  files: { file: string; stage: string; type?: string; reasons: string[]; decidedBy?: string; insights: string[] }[]
}

/** The kinds of entities that an invoice is read for. */
const TELLING = ['organisation', 'person', 'date', 'money', 'iban', 'id', 'email']
const DECIDER = 'the samples'
const INTAKE = ['invoice.html', 'sales.csv', 'minutes.txt']

const QUESTION = 'total revenue by region'

export const SAMPLES: Sample[] = [
  {
    agent: 'document-analyzer',
    files: ['invoice.html'],
    input: (id) => ({ document: { id }, collection: 'samples', summarySentences: 2 }),
    inWords: ({ document, language, type, entities, keyPhrases, summary }: Analysis) => [
      row('type', type === undefined ? 'unknown' : `${type.label} (${percent(type.confidence)} sure)`),
      row('read', `${document.format}, ${document.characters} characters, language ${language?.code ?? 'unknown'}`),
      ...TELLING.map((kind) => ({ kind, found: entities.filter((entity) => entity.kind === kind) }))
        .filter(({ found }) => found.length > 0)
        .map(({ kind, found }) => row(kind, [...new Set(found.map(({ text }) => text))].slice(0, 4).join(' · '))),
      row(
        'fields',
        document.fields
          .slice(-4)
          .map(({ label, value }) => `${label} ${value}`)
          .join(' · '),
      ),
      row(
        'phrases',
        keyPhrases
          .slice(0, 5)
          .map(({ text }) => text)
          .join(' · '),
      ),
      row('summary', short(summary?.text ?? '')),
    ],
    documents: () => ({}),
  },
  {
    agent: 'business-intelligence',
    files: ['sales.csv'],
    input: (documentId) => ({
      dataset: { documentId },
      question: QUESTION,
      forecastPeriods: 3,
      charts: 2,
      report: ['html'],
    }),
    inWords: ({ table, insights, answer, forecast }: Insights) => [
      row('table', `${table.rowCount} rows, ${table.columns.length} columns`),
      ...insights.slice(0, 4).map(({ text }) => row('insight', short(text))),
      ...(answer === undefined
        ? []
        : [
            row(
              'answer',
              `${answer.question}: ${answer.rows
                .slice(0, 4)
                .map((one) => Object.values(one).map(readable).join(' '))
                .join(' · ')}`,
            ),
          ]),
      ...(forecast === undefined
        ? []
        : [
            row(
              'forecast',
              `${forecast.measure}: ${forecast.points.map(({ period, value }) => `${period.slice(0, 7)} ${readable(value)}`).join(' · ')}`,
            ),
          ]),
    ],
    documents: ({ reports }: Insights) => reports,
  },
  {
    agent: 'quality-assurance',
    files: ['sales.csv'],
    input: (documentId) => ({
      dataset: { documentId },
      expectations: [
        { kind: 'unique', columns: ['order'] },
        { kind: 'filled', column: 'revenue' },
      ],
    }),
    inWords: ({ verdict, scores, reasons }: Quality) => [
      row('verdict', `${verdict}${scores === undefined ? '' : `, score ${percent(scores.overall)}`}`),
      ...reasons.slice(0, 6).map(({ text }) => row('reason', short(text))),
    ],
    documents: () => ({}),
  },
  {
    agent: 'document-intake',
    files: INTAKE,
    input: (...ids) => ({ files: ids.map((id) => ({ id })) }),
    // Only a file that waits for a decision takes one.
    answers: INTAKE.map((_, file) => ({ type: 'decide', file, accept: true, by: DECIDER })),
    inWords: ({ files }: Intake) =>
      files.flatMap(({ file, stage, type, reasons, decidedBy, insights }) => [
        row(stage, `${file}${type === undefined || type === 'unknown' ? '' : ` (${type})`}`),
        ...reasons.slice(0, 2).map((reason) => row('  because', short(reason))),
        ...(decidedBy === undefined ? [] : [row('  decided', `by ${decidedBy}, where a person is asked`)]),
        ...insights.slice(0, 1).map((insight) => row('  insight', short(insight))),
      ]),
    documents: () => ({}),
  },
]

function row(name: string, text: string): string {
  return `${name.padEnd(13)} ${text}`
}

function readable(value: unknown): string {
  return typeof value === 'number' ? Math.round(value).toLocaleString('en-US') : String(value)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 199)}…` : line
}
