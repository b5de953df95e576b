// Services for a test: documents in memory; workers, retrieval and LLM as the test scripts them, absent otherwise.
import { createHash } from 'node:crypto'
import { TroupeError } from '../../contract/errors.ts'
import { absentServices, type Services } from '../../host/services.ts'
import type { DocumentInfo, Documents, Inference, Llm, Retrieval, Sources, Web } from '../context.ts'

export interface TestServices {
  /** Documents by id. */
  documents?: Record<string, { name: string; mime: string; content: Uint8Array | string }>
  inference?: Partial<Inference>
  retrieval?: Partial<Retrieval>
  llm?: Llm
  sources?: Sources
  web?: Web
}

/** What a run stored is there after its crash, as it is in a document store: one store for each `services` object. */
const kept = new WeakMap<TestServices, Documents>()

export function testServices(given: TestServices = {}): Services {
  const documents = kept.get(given) ?? documentsInMemory(given.documents ?? {})
  kept.set(given, documents)
  const { inference, retrieval, llm, sources, web } = given
  return {
    ...absentServices,
    documents: () => documents,
    ...(inference === undefined
      ? {}
      : { inference: { ...absentServices.inference, available: async () => true, ...inference } }),
    ...(retrieval === undefined
      ? {}
      : {
          retrieval: (tenant) => ({ ...absentServices.retrieval(tenant), available: async () => true, ...retrieval }),
        }),
    ...(llm === undefined ? {} : { llm: () => llm }),
    ...(sources === undefined ? {} : { sources: () => sources }),
    ...(web === undefined ? {} : { web: () => web }),
  }
}

function documentsInMemory(given: NonNullable<TestServices['documents']>): Documents {
  const stored = new Map<string, { info: DocumentInfo; content: Uint8Array }>()
  const store = (id: string, name: string, mime: string, content: Uint8Array): DocumentInfo => {
    const info = {
      id,
      name,
      mime,
      bytes: content.byteLength,
      sha256: createHash('sha256').update(content).digest('hex'),
    }
    stored.set(id, { info, content })
    return info
  }
  for (const [id, { name, mime, content }] of Object.entries(given)) {
    store(id, name, mime, typeof content === 'string' ? new TextEncoder().encode(content) : content)
  }
  const find = (id: string) => {
    const found = stored.get(id)
    if (found === undefined) throw new TroupeError('not_found', `There is no document ${id}.`)
    return found
  }
  return {
    info: async (id) => find(id).info,
    read: async (id) => find(id).content,
    // The id follows from the content, so a step that runs again stores the same document (P3).
    put: async ({ name, mime, content }) => {
      const id = `doc_${createHash('sha256').update(name).update(content).digest('hex').slice(0, 26)}`
      return store(id, name, mime, content)
    },
  }
}
