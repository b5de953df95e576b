import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ERROR_CODES } from '../../src/contract/errors.ts'
import { policySchema } from '../../src/gateway/screening/policy.ts'
import { operationsOf } from './support/generated-requests.ts'
import { startGateway } from './support/start.ts'

const guide = (name: string) => readFileSync(join(import.meta.dirname, '../../docs/guides', name), 'utf8')

test('docs/guides/errors.md has exactly one line for each code, and says what the code says', () => {
  const written = guide('errors.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  const wanted = Object.entries(ERROR_CODES).map(
    ([code, [status, passing, fix]]) => `| \`${code}\` | ${status} | ${passing ? 'yes' : 'no'} | ${fix} |`,
  )
  assert.deepEqual(written, wanted)
})

test('the page that a problem’s type points at has an anchor for every code', async () => {
  await using started = await startGateway()
  const problem = await started.call('GET', '/v1/tasks/none')
  const page = await started.call('GET', problem.json.type, { key: undefined })
  assert.equal(page.status, 200)
  for (const code of Object.keys(ERROR_CODES)) assert.ok(page.text.includes(`id="${code}"`), code)
})

test('docs/guides/api.md names every route there is, and none that is not', async () => {
  await using started = await startGateway()
  const document = (await started.call('GET', '/openapi.json', { key: undefined })).json
  const routes = operationsOf(document).map(({ method, path }) => `${method} ${path}`)
  const named = new Set(
    [...guide('api.md').matchAll(/`((?:GET|POST|PUT|DELETE) \/[^`?\s]*)`/g)].map((match) => match[1]!),
  )
  for (const route of routes) assert.ok(named.has(route), `docs/guides/api.md does not name ${route}`)
  const extra = [...named].filter((name) => !routes.includes(name) && !/\/(openapi\.json|docs|errors)$/.test(name))
  assert.deepEqual(extra, [])
})

test('the policy that docs/guides/api.md shows is one', () => {
  const [, shown] = /```json\n(\{\n {2}"input"[\s\S]*?)```/.exec(guide('api.md')) ?? []
  const policy = policySchema.parse(JSON.parse(shown!))
  assert.equal(policy.agents['mail-reader']?.injection.action, 'flag')
  assert.equal(policy.input.injection.threshold, policySchema.parse({}).input.injection.threshold)
})
