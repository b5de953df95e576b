// The guides name settings, commands, error codes, metrics and alerts; each must exist, and each that exists and that an
// operator meets must be in a guide.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { ERROR_CODES } from '../../src/contract/errors.ts'

const root = join(import.meta.dirname, '..', '..')
const text = (file: string) => readFileSync(join(root, file), 'utf8')
const guides = globSync('docs/guides/*.md', { cwd: root })
const guide = (name: string) => text(join('docs', 'guides', `${name}.md`))
const everything = guides.map(text).join('\n')
const sources = globSync(['src/**/*.ts', 'supervisors/*.ts'], { cwd: root }).map(text).join('\n')
const SETTING = /\b(?:TROUPE|OTEL)_[A-Z][A-Z_]*[A-Z]\b/g
const names = (where: string, pattern: RegExp) =>
  new Set([...where.matchAll(pattern)].map((match) => match[1] ?? match[0]))

/** Of JetStream, of the compose file, and of the tests. */
const NO_SETTINGS = /^TROUPE_(OFFERS|EVENTS|IMAGE|TEST_[A-Z_]+)$/

test('every setting that a process reads is in a guide, and the guides name no other', () => {
  const read = names(sources, SETTING)
  const described = names(everything, SETTING)
  const short = (name: string) => !NO_SETTINGS.test(name)
  assert.ok(read.size > 30)
  assert.deepEqual(
    [...read].filter((name) => short(name) && !described.has(name)),
    [],
    'not documented',
  )
  assert.deepEqual(
    [...described].filter((name) => short(name) && !read.has(name)),
    [],
    'read by nothing',
  )
})

test('every error code in a guide’s first column exists', () => {
  const codes = [...guide('troubleshooting').matchAll(/^\| ((?:`[a-z_]+`(?:, )?)+) \|/gm)].flatMap(([, cell]) => [
    ...names(cell!, /`([a-z_]+)`/g),
  ])
  assert.ok(codes.length > 25)
  assert.deepEqual(
    codes.filter((code) => !(code in ERROR_CODES)),
    [],
  )
})

test('every command in a guide is one that `troupe` knows', () => {
  const named = names(everything, /(?:`|^|npx )troupe ([a-z]+)\b/gm)
  const help = execFileSync(process.execPath, [join(root, 'src', 'cli', 'troupe.ts'), '--help'], { encoding: 'utf8' })
  const known = names(help, /^ {2}([a-z]+)\b/gm)
  assert.ok(known.size > 15 && named.size > 10)
  assert.deepEqual(
    [...named].filter((command) => !known.has(command)),
    [],
  )
})

test('every metric that a guide names is counted somewhere', () => {
  const named = names(everything, /`(troupe_[a-z_]+)`/g)
  const schemas = ['troupe_gateway', 'troupe_retrieval']
  const counted = (name: string) => sources.includes(name) || schemas.includes(name)
  assert.deepEqual(
    [...named].filter((name) => !counted(name)),
    [],
  )
})

test('every alert is listed with when it fires, and with what to do', () => {
  const { groups } = parse(text('k8s/monitoring/alerts.yaml')) as { groups: { rules: { alert: string }[] }[] }
  for (const { alert } of groups.flatMap(({ rules }) => rules)) {
    assert.ok(guide('monitoring').includes(`\`${alert}\``), `${alert} in monitoring.md`)
    assert.match(guide('troubleshooting'), new RegExp(`^\\| \`${alert}\` \\|`, 'm'), `${alert} in troubleshooting.md`)
  }
})

test('everything that `troupe doctor` checks is explained', () => {
  const checks = names(text('src/boot/diagnosis.ts'), /check(?:: |Server\(| = )'([^']+)'/g)
  assert.ok(checks.size >= 8)
  const table = guide('troubleshooting').split('## It does not start')[0]!
  assert.deepEqual(
    [...checks].filter((check) => !table.includes(check)),
    [],
  )
})
