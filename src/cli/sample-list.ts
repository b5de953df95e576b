// The samples as data: which file goes to which agent, and how its result reads.

export interface Sample {
  agent: string
  /** In examples/samples/. */
  file: string
  input(documentId: string): unknown
  inWords(output: never): string[]
  /** Ids of documents that the agent made, by what they are. */
  documents(output: never): Record<string, string>
}

// Of the agents' outputs only what is shown.
interface Analysis {
  document: { format: string; pages: number; characters: number }
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
  violations: { expectation: string; holds: boolean; broken: number; checked: number }[]
  reasons: { verdict: string; text: string }[]
}

const QUESTION = 'total revenue by region'

export const SAMPLES: Sample[] = [
  {
    agent: 'document-analyzer',
    file: 'invoice.html',
    input: (id) => ({ document: { id }, collection: 'samples', summarySentences: 2 }),
    inWords: ({ document, language, type, entities, keyPhrases, summary }: Analysis) => [
      row('type', type === undefined ? 'unknown' : `${type.label} (${percent(type.confidence)} sure)`),
      row('read', `${document.format}, ${document.characters} characters, language ${language?.code ?? 'unknown'}`),
      ...[...Map.groupBy(entities, ({ kind }) => kind)]
        .slice(0, 6)
        .map(([kind, found]) => row(kind, [...new Set(found.map(({ text }) => text))].slice(0, 4).join(' · '))),
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
    file: 'sales.csv',
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
                .map((one) => Object.values(one).join(' '))
                .join(' · ')}`,
            ),
          ]),
      ...(forecast === undefined
        ? []
        : [
            row(
              'forecast',
              `${forecast.measure}: ${forecast.points.map(({ period, value }) => `${period.slice(0, 7)} ${Math.round(value)}`).join(' · ')}`,
            ),
          ]),
    ],
    documents: ({ reports }: Insights) => reports,
  },
  {
    agent: 'quality-assurance',
    file: 'sales.csv',
    input: (documentId) => ({
      dataset: { documentId },
      expectations: [
        { kind: 'unique', columns: ['order'] },
        { kind: 'filled', column: 'revenue' },
      ],
    }),
    inWords: ({ verdict, scores, violations, reasons }: Quality) => [
      row('verdict', `${verdict}${scores === undefined ? '' : `, score ${percent(scores.overall)}`}`),
      ...reasons.slice(0, 3).map(({ text }) => row('reason', short(text))),
      ...violations
        .filter(({ broken }) => broken > 0)
        .slice(0, 4)
        .map(({ expectation, broken, checked }) => row('broken', `${expectation}: ${broken} of ${checked}`)),
    ],
    documents: () => ({}),
  },
]

function row(name: string, text: string): string {
  return `${name.padEnd(13)} ${text}`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 160 ? `${line.slice(0, 159)}…` : line
}
