// troupe collections ls | add | remove | delete, troupe search
import type { GatewayClient } from './client.ts'
import type { Handler } from './context.ts'
import { table } from './table.ts'

interface CollectionView {
  name: string
  documents: number
  passages: number
}

export const listCollections: Handler = async (context) => {
  const gateway = await context.connect()
  const { collections } = await gateway.get<{ collections: CollectionView[] }>('/v1/collections')
  context.show(collections, (all) =>
    table(
      ['NAME', 'DOCUMENTS', 'PASSAGES'],
      all.map(({ name, documents, passages }) => [name, documents, passages]),
    ),
  )
}

export const addToCollection: Handler = async (context, [collection, documentId]) => {
  const gateway = await context.connect()
  const added = await addDocument(gateway, collection!, documentId!)
  context.show(added, ({ passages }) => passagesIn(passages, collection!))
}

export const removeFromCollection: Handler = async (context, [collection, id]) => {
  const gateway = await context.connect()
  await gateway.remove(`${collectionPath(collection!)}/documents/${encodeURIComponent(id!)}`)
  context.show({ removed: id }, () => `${id} is no more in ${collection}`)
}

export const deleteCollection: Handler = async (context, [collection]) => {
  const gateway = await context.connect()
  await gateway.remove(collectionPath(collection!))
  context.show({ deleted: collection }, () => `${collection} is deleted; its documents stay`)
}

export function addDocument(gateway: GatewayClient, collection: string, documentId: string) {
  const body = { documents: [{ documentId }] }
  return gateway.post<{ passages: number }>(`${collectionPath(collection)}/documents`, body)
}

export function passagesIn(passages: number, collection: string): string {
  return `${passages} passage${passages === 1 ? '' : 's'} in ${collection}`
}

interface Passage {
  documentId: string
  text: string
  start: number
  end: number
  score: number
}

export const searchCollection: Handler<{ limit: string; mode: string }> = async (
  context,
  [collection, query],
  options,
) => {
  const gateway = await context.connect()
  const body = { query, limit: Number(options.limit), mode: options.mode }
  const path = `${collectionPath(collection!)}/search`
  const { passages } = await gateway.post<{ passages: Passage[] }>(path, body)
  const { style } = context.terminal
  context.show(passages, (found) =>
    found
      .map(({ documentId, start, end, score, text }) => {
        const where = style('dim', `${documentId} ${start}–${end}  score ${score.toFixed(3)}`)
        return `${where}\n${text.trim().slice(0, 400)}\n`
      })
      .join('\n'),
  )
  if (passages.length === 0) context.terminal.note('Nothing was found.')
}

function collectionPath(collection: string): string {
  return `/v1/collections/${encodeURIComponent(collection)}`
}
