import { after } from 'node:test'
import type { Journal } from '../../src/journal/journal.ts'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { makeTask } from './contract/make.ts'
import { journalContract } from './contract.ts'

const servers: TestServer[] = []
after(() => Promise.all(servers.map((server) => server.stop())))

async function open(): Promise<Journal> {
  const server = await startPostgres()
  servers.push(server)
  return openPostgresJournal({ url: server.url })
}

// A call that is alone takes a shorter way into Postgres than calls that share a flight: both ways keep the contract.
journalContract('Postgres', open, { skip: missing('postgres') })
journalContract('Postgres, no call alone', async () => inCompany(await open()), { skip: missing('postgres') })

/** Each accept and commit shares its flight with another one; a delivery never takes the shorter way. */
function inCompany(journal: Journal): Journal {
  const company = () => journal.accept(makeTask({ tenant: 'company', agent: 'company' }))
  return {
    ...journal,
    accept: async (task) => (await Promise.all([journal.accept(task), company()]))[0],
    commit: async (commit) => (await Promise.all([company(), journal.commit(commit)]))[1],
  }
}
