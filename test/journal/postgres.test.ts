import { after } from 'node:test'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'
import { journalContract } from './contract.ts'

let server: TestServer | undefined
after(() => server?.stop())

journalContract(
  'Postgres',
  async () => {
    server = await startPostgres()
    return openPostgresJournal({ url: server.url })
  },
  { skip: missing('postgres') },
)
