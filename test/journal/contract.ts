// What every journal does, whichever store is below it. Each adapter's test calls this with a way to open itself; the
// titles are the specification of src/journal/journal.ts.
//   contract/accepting.ts  accept, idempotency keys, children
//   contract/early.ts      accepted and begun in one moment
//   contract/fencing.ts    claim, commit, epoch and version, steps
//   contract/mail.ts       mailboxes, timers, deadlines
//   contract/leases.ts     hosts, orphans, quarantine
//   contract/reading.ts    get, list, events, sums, purge, reopen
//   contract/erasing.ts    tasks that somebody wants gone
//   contract/labels.ts     labels, and notices for callbacks
//   contract/values.ts     large and strange values
//   contract/model.ts      random interleavings against a small model
//   contract/make.ts       tasks and commits to test with
import { after, before, describe } from 'node:test'
import type { Journal } from '../../src/journal/journal.ts'
import { acceptingTests } from './contract/accepting.ts'
import { earlyTests } from './contract/early.ts'
import { erasingTests } from './contract/erasing.ts'
import { fencingTests } from './contract/fencing.ts'
import { labelTests } from './contract/labels.ts'
import { leaseTests } from './contract/leases.ts'
import { mailTests } from './contract/mail.ts'
import { modelTests } from './contract/model.ts'
import { readingTests } from './contract/reading.ts'
import { valueTests } from './contract/values.ts'

export function journalContract(name: string, open: () => Promise<Journal>, options: { skip?: string | false } = {}) {
  describe(`the journal on ${name}`, { skip: options.skip ?? false }, () => {
    let journal: Journal | undefined
    const current = () => {
      if (journal === undefined) throw new Error('the journal is not open')
      return journal
    }
    before(async () => {
      journal = await open()
    })
    after(async () => {
      await journal?.close()
    })
    acceptingTests(current)
    earlyTests(current)
    fencingTests(current)
    mailTests(current)
    leaseTests(current)
    readingTests(current)
    erasingTests(current)
    labelTests(current)
    valueTests(current)
    modelTests(current)
  })
}
