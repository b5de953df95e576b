// The far side of the gateway's optional ports: a retrieval worker that finds by word, a supervisor with one child, and
// telemetry that notes which spans were opened.
import { TroupeError } from '../../../src/contract/errors.ts'
import type {
  FoundPassage,
  PassageSource,
  RetrievalPort,
  SupervisionPort,
  TelemetryPort,
} from '../../../src/gateway/parts.ts'

export function wordRetrieval(): RetrievalPort {
  const kept = new Map<string, Map<string, PassageSource>>()
  const place = (tenant: string, collection: string) => `${tenant}/${collection}`

  function require(tenant: string, collection: string): Map<string, PassageSource> {
    const found = kept.get(place(tenant, collection))
    if (found === undefined) throw new TroupeError('collection_not_found', `There is no collection ${collection}.`)
    return found
  }

  return {
    async upsert(tenant, collection, documents) {
      const found = kept.get(place(tenant, collection)) ?? new Map<string, PassageSource>()
      kept.set(place(tenant, collection), found)
      for (const document of documents) found.set(document.documentId, document)
      return { passages: documents.length }
    },
    async search(tenant, collection, query, { limit }) {
      const hits = [...require(tenant, collection).values()].filter(({ text }) => text.includes(query))
      return hits.slice(0, limit).map(passage)
    },
    async remove(tenant, collection, ids) {
      for (const id of ids) require(tenant, collection).delete(id)
    },
    async removeCollection(tenant, collection) {
      return kept.delete(place(tenant, collection))
    },
    async collections(tenant) {
      return [...kept]
        .filter(([name]) => name.startsWith(`${tenant}/`))
        .map(([name, { size }]) => ({ name: name.slice(tenant.length + 1), documents: size, passages: size }))
    },
  }
}

function passage({ documentId, text, metadata = {} }: PassageSource): FoundPassage {
  return {
    documentId,
    passageId: `${documentId}#0`,
    text,
    start: 0,
    end: text.length,
    score: 1,
    metadata,
    highlights: [],
  }
}

export function oneChild(): SupervisionPort & { restarted: string[] } {
  const restarted: string[] = []
  const child = { restart: 'permanent', state: 'running', restarts: 0, uptime: 1, facts: { pid: 7 } } as const
  const core = { id: 'core', path: 'troupe/core', type: 'worker', ...child } as const
  return {
    restarted,
    tree: async () => ({ id: 'troupe', path: 'troupe', type: 'supervisor', ...child, children: [core] }),
    async restart(path) {
      if (path !== 'troupe/core') throw new TroupeError('not_found', `There is no child ${path}.`)
      restarted.push(path)
    },
  }
}

export function keptSpans(): TelemetryPort & { opened: string[] } {
  const opened: string[] = []
  return {
    opened,
    async span(name, _attributes, parent, work) {
      opened.push(name)
      return await work(parent?.replace(/-[0-9a-f]{16}-/, '-00000000000000aa-'))
    },
    trace: async (tenant, taskId) => [
      {
        id: `${tenant}/${taskId}`,
        name: 'step ask',
        startedAt: 0,
        error: 'no word of jane@example.com',
        attributes: {},
      },
    ],
  }
}
