import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { journalContract } from './contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'troupe-journal-'))
after(() => rmSync(folder, { recursive: true }))

journalContract('SQLite', () => openSqliteJournal({ folder }))
