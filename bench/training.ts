// How good and how fast training is, on public data it was not tuned for, and on templates the shipped models never saw.
//   node bench/training.ts            prints one JSON line a figure
// Public data is looked for beside the checkout or where TROUPE_SHARED_DATA says; what is absent is left out, and said.
import { readFileSync } from 'node:fs'
import { generateDocuments, UNKNOWN } from '../src/training/corpus/index.ts'
import {
  type Example,
  measureClassifier,
  openModel,
  readTable,
  type TrainedModel,
  trainClassifier,
  trainDefaultEmbedder,
  trainDocumentTypes,
} from '../src/training/index.ts'
import { sharedData } from '../test/support/shared-data.ts'

export interface Figure {
  bench: 'training'
  name: string
  value?: number
  bar?: number
  unit?: string
  note?: string
}

export async function run({ json = true }: { json?: boolean } = {}): Promise<Figure[]> {
  const figures: Figure[] = []
  const add = (name: string, value: number, extra: Partial<Figure> = {}) => {
    const figure: Figure = { bench: 'training', name, value: Math.round(value * 1e4) / 1e4, ...extra }
    figures.push(figure)
    console.log(
      json ? JSON.stringify(figure) : `${name}: ${figure.value} ${extra.unit ?? ''} (bar ${extra.bar ?? 'none'})`,
    )
  }
  await dbpedia(add)
  await banking(add)
  await documentTypes(add)
  await embedderRetrieval(add)
  return figures
}

type Add = (name: string, value: number, extra?: Partial<Figure>) => void

async function dbpedia(add: Add): Promise<void> {
  const [train, dev] = [sharedData('classification/dbpedia/train.csv'), sharedData('classification/dbpedia/dev.csv')]
  if (train === undefined || dev === undefined) return absent('classification/dbpedia')
  const examples = await labelled(train, 'label')
  const started = performance.now()
  const trained = await trainClassifier(examples, { name: 'dbpedia', source: 'dbpedia train' })
  const seconds = (performance.now() - started) / 1000
  const { accuracy, macroF1, calibrationError } = await judge(trained, await labelled(dev, 'label'))
  add('dbpedia accuracy', accuracy, { bar: 0.96 })
  add('dbpedia macro-F1', macroF1, { bar: 0.87 })
  add('dbpedia calibration error', calibrationError)
  add('dbpedia training', seconds, { bar: 60, unit: 's' })
}

/** Five folds: example i is tested in fold i modulo 5. */
async function banking(add: Add): Promise<void> {
  const file = sharedData('classification/banking77/train.csv')
  if (file === undefined) return absent('classification/banking77')
  const examples = await labelled(file, 'category')
  let sum = 0
  for (let fold = 0; fold < 5; fold++) {
    const trained = await trainClassifier(
      examples.filter((_, at) => at % 5 !== fold),
      { name: 'banking', source: 'banking77', heldOut: 0.05 },
    )
    sum += (
      await judge(
        trained,
        examples.filter((_, at) => at % 5 === fold),
      )
    ).accuracy
  }
  add('banking77 accuracy, 5-fold', sum / 5, { bar: 0.89 })
}

async function documentTypes(add: Add): Promise<void> {
  const unseen = generateDocuments({ seed: 20_26, split: 'test', perKind: 100, foreign: 5 })
  const { perClass } = await judge(await trainDocumentTypes({}), unseen)
  const known = perClass.filter(({ label }) => label !== UNKNOWN)
  const right = known.reduce((total, { recall, support }) => total + recall * support, 0)
  add('document types on unseen templates', right / known.reduce((total, { support }) => total + support, 0), {
    bar: 0.95,
  })
  add('unknown for foreign texts', perClass.find(({ label }) => label === UNKNOWN)!.recall, { bar: 0.8 })
}

/** The vectors alone, whole passages, exact search: what the retrieval worker can build on. */
async function embedderRetrieval(add: Add): Promise<void> {
  const { onnx, card } = await trainDefaultEmbedder({})
  const model = await openModel(onnx, card.featuriser)
  try {
    for (const [name, corpusFile, queryFile] of [
      ['pubmedqa', 'retrieval/pubmedqa/corpus.jsonl', 'retrieval/pubmedqa/queries_dev.jsonl'],
      ['xquad en', 'retrieval/xquad_r/corpus_en.jsonl', 'retrieval/xquad_r/queries_en_dev.jsonl'],
      ['xquad de', 'retrieval/xquad_r/corpus_de.jsonl', 'retrieval/xquad_r/queries_de_dev.jsonl'],
      [
        'xquad German questions, English passages',
        'retrieval/xquad_r/corpus_en.jsonl',
        'retrieval/xquad_r/queries_de_dev.jsonl',
      ],
    ] as const) {
      const [corpus, queries] = [sharedData(corpusFile), sharedData(queryFile)]
      if (corpus === undefined || queries === undefined) absent(corpusFile)
      else await searchByVector(add, name, model, lines(corpus), lines(queries))
    }
  } finally {
    await model.close()
  }
}

interface Line {
  id: string
  text: string
  relevant?: string[]
}

type Model = Awaited<ReturnType<typeof openModel>>

async function searchByVector(add: Add, name: string, model: Model, passages: Line[], queries: Line[]): Promise<void> {
  const started = performance.now()
  const vectors = await model.run(passages.map(({ text }) => text))
  const each = (performance.now() - started) / passages.length
  const asked = await model.run(queries.map(({ text }) => text))
  let gain = 0
  for (const [at, vector] of asked.entries()) {
    // A question of pubmedqa has the id of its passage with a q before it.
    const relevant = queries[at]!.relevant ?? [queries[at]!.id.slice(1)]
    const likeness = vectors.map((candidate) =>
      candidate.reduce((sum, value, index) => sum + value * vector[index]!, 0),
    )
    const best = Math.max(...passages.map(({ id }, place) => (relevant.includes(id) ? likeness[place]! : -1)))
    const rank = likeness.filter((value) => value > best).length
    if (rank < 10) gain += 1 / Math.log2(rank + 2)
  }
  add(`${name}: nDCG@10 by vector alone`, gain / queries.length)
  add(`${name}: embedding a passage`, each, { unit: 'ms' })
}

async function judge(trained: TrainedModel, examples: readonly Example[]) {
  const model = await openModel(trained.onnx, trained.card.featuriser)
  try {
    const labels = trained.card.labels!
    const probabilities = await model.run(examples.map(({ text }) => text))
    return measureClassifier(
      examples.map(({ label }) => labels.indexOf(label)),
      probabilities,
      labels,
    )
  } finally {
    await model.close()
  }
}

async function labelled(file: string, label: string): Promise<Example[]> {
  return (await readTable(file)).map((row) => ({ text: row.text!, label: row[label]! }))
}

function lines(file: string): Line[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

function absent(what: string): void {
  console.error(`not measured: ${what} is absent`)
}

if (import.meta.main) await run({ json: true })
