// Documents in and out. Words, vectors and counts of a document change in one commit.
import type { DocumentDraft, PassageDraft } from '../store.ts'
import { generationOf, mustExist } from './collections.ts'
import { type Database, lexicalTable, vectorTable } from './database.ts'

export function write(
  database: Database,
  collection: number,
  documents: readonly DocumentDraft[],
  model: string | undefined,
  vectors: ReadonlyMap<string, Float32Array>,
): void {
  database.commit(() => {
    mustExist(database, collection)
    const generation = model === undefined ? undefined : generationOf(database, collection, model)?.id
    removeDocuments(
      database,
      collection,
      documents.map(({ id }) => id),
    )
    for (const document of documents) {
      const { id } = database.run(
        'INSERT INTO documents (collection, name, hash, title, metadata) VALUES (?, ?, ?, ?, ?)',
        collection,
        document.id,
        document.hash,
        document.title,
        JSON.stringify(document.metadata),
      )
      document.passages.forEach((passage, ordinal) => {
        const added = addPassage(database, collection, id, ordinal, passage)
        const vector = vectors.get(passage.hash)
        if (generation !== undefined && vector !== undefined) addVector(database, generation, added, vector)
      })
    }
    count(database, collection, 1, documents)
  })
}

export function remove(database: Database, collection: number, ids: readonly string[]): number {
  return database.commit(() => removeDocuments(database, collection, ids))
}

export function fill(
  database: Database,
  collection: number,
  model: string,
  vectors: ReadonlyMap<number, Float32Array>,
): void {
  database.commit(() => {
    const generation = generationOf(database, collection, model)?.id
    if (generation === undefined) return
    for (const [passage, vector] of vectors) {
      // Deleted or replaced while it was being embedded.
      const there = database.get('SELECT 1 FROM passages WHERE id = ? AND collection = ?', passage, collection)
      if (there !== undefined) addVector(database, generation, passage, vector)
    }
  })
}

function addPassage(
  database: Database,
  collection: number,
  document: number,
  ordinal: number,
  passage: PassageDraft,
): number {
  const { id } = database.run(
    `INSERT INTO passages (collection, document, ordinal, start_at, end_at, length, hash, text)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    collection,
    document,
    ordinal,
    passage.start,
    passage.end,
    passage.length,
    passage.hash,
    passage.text,
  )
  database.run(`INSERT INTO ${lexicalTable(collection)} (rowid, terms) VALUES (?, ?)`, id, passage.terms)
  return id
}

function addVector(database: Database, generation: number, passage: number, vector: Float32Array): void {
  const { changes } = database.run(
    'INSERT OR IGNORE INTO embedded (generation, passage) VALUES (?, ?)',
    generation,
    passage,
  )
  if (changes === 0) return
  database.run('UPDATE generations SET embedded = embedded + 1 WHERE id = ?', generation)
  // vec0 takes row numbers as integers only, and a JavaScript number arrives as a float.
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
  database.run(`INSERT INTO ${vectorTable(generation)} (rowid, vector) VALUES (?, ?)`, BigInt(passage), bytes)
}

function removeVector(database: Database, generation: number, passage: number): void {
  const { changes } = database.run('DELETE FROM embedded WHERE generation = ? AND passage = ?', generation, passage)
  if (changes === 0) return
  database.run('UPDATE generations SET embedded = embedded - 1 WHERE id = ?', generation)
  database.run(`DELETE FROM ${vectorTable(generation)} WHERE rowid = ?`, BigInt(passage))
}

function removeDocuments(database: Database, collection: number, ids: readonly string[]): number {
  const generations = database.all('SELECT id FROM generations WHERE collection = ?', collection)
  let removed = 0
  for (const name of ids) {
    const document = database.get('SELECT id FROM documents WHERE collection = ? AND name = ?', collection, name)
    if (document === undefined) continue
    removed++
    const passages = database.all('SELECT id, length FROM passages WHERE document = ?', document.id!)
    for (const { id: generation } of generations) {
      for (const { id } of passages) removeVector(database, Number(generation), Number(id))
    }
    for (const { id } of passages) database.run(`DELETE FROM ${lexicalTable(collection)} WHERE rowid = ?`, id!)
    database.run('DELETE FROM passages WHERE document = ?', document.id!)
    database.run('DELETE FROM documents WHERE id = ?', document.id!)
    count(database, collection, -1, [{ passages: passages.map(({ length }) => ({ length: Number(length) })) }])
  }
  return removed
}

function count(
  database: Database,
  collection: number,
  sign: 1 | -1,
  documents: readonly { passages: readonly { length: number }[] }[],
): void {
  const passages = documents.flatMap((document) => document.passages)
  const terms = passages.reduce((sum, { length }) => sum + length, 0)
  database.run(
    'UPDATE collections SET documents = documents + ?, passages = passages + ?, terms = terms + ? WHERE id = ?',
    sign * documents.length,
    sign * passages.length,
    sign * terms,
    collection,
  )
}
