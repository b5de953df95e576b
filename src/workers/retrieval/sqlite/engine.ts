// The thread that holds a connection: the writer, or one of the readers. See store.ts.
import { workerData } from 'node:worker_threads'
import { serveCalls } from '../thread.ts'
import * as collections from './collections.ts'
import { coded, Database } from './database.ts'
import * as searches from './searches.ts'
import * as writes from './writes.ts'

export interface EngineOptions {
  file: string
  readOnly: boolean
}

type Tail<Function> = Function extends (database: Database, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never
type Bound<Module> = { [Name in keyof Module]: Tail<Module[Name]> }

export type Engine = Bound<Omit<typeof collections, 'mustExist' | 'generationOf'>> &
  Bound<typeof searches> &
  Bound<typeof writes> & { close(): void; ready(): boolean }

const { file, readOnly } = workerData as EngineOptions
const database = coded(file, () => new Database(file, readOnly))

const bound = Object.entries({ ...collections, ...searches, ...writes }).map(([name, verb]) => [
  name,
  (...rest: unknown[]) =>
    coded(file, () => (verb as (database: Database, ...rest: unknown[]) => unknown)(database, ...rest)),
])
serveCalls({ ...Object.fromEntries(bound), close: () => database.close(), ready: () => true })
