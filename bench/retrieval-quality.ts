// How well the retrieval worker finds, on public data that lies beside the checkout: nDCG@10 by document.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { RetrievalClient, SearchOptions } from '../src/workers/retrieval/index.ts'

export interface RetrievalTask {
  name: string
  documents: { documentId: string; text: string }[]
  queries: { text: string; relevant: string[] }[]
}

interface Line {
  id: string
  text: string
  relevant?: string[]
}

const folder = process.env.TROUPE_SHARED_DATA ?? resolve(import.meta.dirname, '..', '..', 'shared', 'data')

/** `pubmedqa`, or `xquad_r` with the language of questions and passages; undefined where the data is absent. */
export function loadTask(name: 'pubmedqa' | 'xquad_r', language = 'en'): RetrievalTask | undefined {
  const at = join(folder, 'retrieval', name)
  if (!existsSync(at)) return undefined
  const suffix = name === 'pubmedqa' ? ['corpus', 'queries_dev'] : [`corpus_${language}`, `queries_${language}_dev`]
  const [corpus, questions] = suffix.map((file) => readLines(join(at, `${file}.jsonl`)))
  const judged = name === 'pubmedqa' ? readJudgements(join(at, 'qrels_dev.tsv')) : undefined
  return {
    name: name === 'pubmedqa' ? name : `${name}/${language}`,
    documents: corpus!.map(({ id, text }) => ({ documentId: id, text })),
    queries: questions!.map(({ id, text, relevant }) => ({ text, relevant: relevant ?? judged?.get(id) ?? [] })),
  }
}

function readLines(file: string): Line[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}

function readJudgements(file: string): Map<string, string[]> {
  const judged = new Map<string, string[]>()
  for (const line of readFileSync(file, 'utf8').split('\n').slice(1)) {
    const [query, document] = line.split('\t')
    if (query === undefined || document === undefined) continue
    judged.set(query, [...(judged.get(query) ?? []), document])
  }
  return judged
}

/** The collection holds the task's documents. Several passages of one document count once, at the best one's place. */
export async function meanGain(
  client: RetrievalClient,
  collection: string,
  { queries }: RetrievalTask,
  options: SearchOptions,
): Promise<number> {
  let sum = 0
  for (const { text, relevant } of queries) {
    const { passages } = await client.search(collection, text, { k: 30, ...options })
    const found = [...new Set(passages.map(({ documentId }) => documentId))].slice(0, 10)
    sum += gain(found, relevant)
  }
  return sum / queries.length
}

function gain(found: readonly string[], relevant: readonly string[]): number {
  const discount = (place: number): number => 1 / Math.log2(place + 2)
  const reached = found.reduce((total, id, place) => total + (relevant.includes(id) ? discount(place) : 0), 0)
  const best = relevant.slice(0, 10).reduce((total, _, place) => total + discount(place), 0)
  return best === 0 ? 0 : reached / best
}
