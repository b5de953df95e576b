// Collections and the generations of their vectors.
import { TroupeError } from '../../../contract/errors.ts'
import type { CollectionInfo, ModelInfo } from '../store.ts'
import { type Database, lexicalTable, type Row, vectorTable, vocabularyTable } from './database.ts'

export function find(database: Database, tenant: string, name: string): CollectionInfo | undefined {
  const row = database.get('SELECT * FROM collections WHERE tenant = ? AND name = ?', tenant, name)
  return row === undefined ? undefined : info(database, row)
}

export function list(database: Database, tenant: string): CollectionInfo[] {
  return database
    .all('SELECT * FROM collections WHERE tenant = ? ORDER BY name', tenant)
    .map((row) => info(database, row))
}

export function open(database: Database, tenant: string, name: string, model: ModelInfo | undefined): CollectionInfo {
  const found = find(database, tenant, name)
  if (found !== undefined) return found
  return database.commit(() => {
    const { id } = database.run('INSERT INTO collections (tenant, name) VALUES (?, ?)', tenant, name)
    // The terms are made by tokens.ts and joined by blanks; every other character belongs to a term.
    database.exec(`
      CREATE VIRTUAL TABLE ${lexicalTable(id)} USING fts5(terms, tokenize = "ascii tokenchars '.'");
      CREATE VIRTUAL TABLE ${vocabularyTable(id)} USING fts5vocab(${lexicalTable(id)}, 'row')`)
    if (model !== undefined) {
      database.run('UPDATE collections SET serving = ? WHERE id = ?', addGeneration(database, id, model), id)
    }
    return find(database, tenant, name)!
  })
}

export function drop(database: Database, tenant: string, name: string): boolean {
  const collection = find(database, tenant, name)
  if (collection === undefined) return false
  const { id } = collection
  database.commit(() => {
    for (const { id: generation } of database.all('SELECT id FROM generations WHERE collection = ?', id)) {
      dropGeneration(database, Number(generation))
    }
    database.exec(`DROP TABLE ${vocabularyTable(id)}; DROP TABLE ${lexicalTable(id)}`)
    database.run('DELETE FROM passages WHERE collection = ?', id)
    database.run('DELETE FROM documents WHERE collection = ?', id)
    database.run('DELETE FROM collections WHERE id = ?', id)
  })
  return true
}

export function incomplete(database: Database, model: string): CollectionInfo[] {
  return database
    .all('SELECT * FROM collections ORDER BY id')
    .map((row) => info(database, row))
    .filter(({ serving, passages }) => serving?.model !== model || serving.embedded < passages)
}

export function build(database: Database, collection: number, model: ModelInfo): void {
  database.commit(() => {
    const row = mustExist(database, collection)
    if (generationOf(database, collection, model.model) !== undefined) return
    if (row.building !== null) dropGeneration(database, Number(row.building))
    database.run(
      'UPDATE collections SET building = ? WHERE id = ?',
      addGeneration(database, collection, model),
      collection,
    )
  })
}

export function serve(database: Database, collection: number, model: string): boolean {
  return database.commit(() => {
    const row = mustExist(database, collection)
    const generation = generationOf(database, collection, model)
    if (generation === undefined || generation.embedded < Number(row.passages)) return false
    if (row.serving === generation.id) return true
    if (row.serving !== null) dropGeneration(database, Number(row.serving))
    database.run('UPDATE collections SET serving = ?, building = NULL WHERE id = ?', generation.id, collection)
    return true
  })
}

export function mustExist(database: Database, collection: number): Row {
  const row = database.get('SELECT * FROM collections WHERE id = ?', collection)
  // Deleted between the caller's look and its work.
  if (row === undefined) throw new TroupeError('collection_not_found', 'the collection was deleted')
  return row
}

export function generationOf(
  database: Database,
  collection: number,
  model: string,
): { id: number; embedded: number } | undefined {
  const row = database.get('SELECT id, embedded FROM generations WHERE collection = ? AND model = ?', collection, model)
  return row === undefined ? undefined : { id: Number(row.id), embedded: Number(row.embedded) }
}

function addGeneration(database: Database, collection: number, { model, dimension }: ModelInfo): number {
  const { id } = database.run(
    'INSERT INTO generations (collection, model, dimension) VALUES (?, ?, ?)',
    collection,
    model,
    dimension,
  )
  database.exec(`CREATE VIRTUAL TABLE ${vectorTable(id)} USING vec0(vector float[${dimension}])`)
  return id
}

function dropGeneration(database: Database, generation: number): void {
  database.exec(`DROP TABLE ${vectorTable(generation)}`)
  database.run('DELETE FROM embedded WHERE generation = ?', generation)
  database.run('DELETE FROM generations WHERE id = ?', generation)
}

function info(database: Database, row: Row): CollectionInfo {
  const collection: CollectionInfo = {
    id: Number(row.id),
    tenant: String(row.tenant),
    name: String(row.name),
    documents: Number(row.documents),
    passages: Number(row.passages),
  }
  for (const role of ['serving', 'building'] as const) {
    const id = row[role]
    if (id === null || id === undefined) continue
    const generation = database.get('SELECT model, dimension, embedded FROM generations WHERE id = ?', id)!
    collection[role] = {
      model: String(generation.model),
      dimension: Number(generation.dimension),
      embedded: Number(generation.embedded),
    }
  }
  return collection
}
