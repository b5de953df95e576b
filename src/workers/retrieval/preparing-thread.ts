// The thread in which documents are cut and tokenised: a book takes longer than the server may be silent.
import { prepare } from './prepare.ts'
import { serveCalls } from './thread.ts'

const methods = {
  prepare: (documents: Parameters<typeof prepare>[0][]) => documents.map(prepare),
  close: () => undefined,
}
export type Preparing = typeof methods

serveCalls(methods)
