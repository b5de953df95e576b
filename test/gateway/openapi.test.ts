import assert from 'node:assert/strict'
import { test } from 'node:test'
import manifest from '../../package.json' with { type: 'json' }
import { keptSpans, oneChild, wordRetrieval } from './support/far-side.ts'
import { type Document, type GeneratedRequest, operationsOf, requestMaker } from './support/generated-requests.ts'
import { type Started, startGateway } from './support/start.ts'

/** TROUPE_GENERATED_REQUESTS=5000 for the long run; TROUPE_SEED repeats one. */
const COUNT = Number(process.env.TROUPE_GENERATED_REQUESTS ?? 500)
const SEED = Number(process.env.TROUPE_SEED ?? Math.floor(Math.random() * 2 ** 31))

const start = () =>
  startGateway({
    config: { maxWaitSeconds: 0, failedLoginsPerSecond: 1_000_000 },
    retrieval: wordRetrieval(),
    supervision: oneChild(),
    telemetry: keptSpans(),
  })

async function documentOf(
  started: Started,
): Promise<Document & { openapi: string; info: { version: string }; security: unknown }> {
  return (await started.call('GET', '/openapi.json', { key: undefined })).json
}

test('the document is OpenAPI 3.1, names every operation once, and refers only to what it holds', async () => {
  await using started = await start()
  const document = await documentOf(started)
  assert.match(document.openapi, /^3\.1/)
  assert.equal(document.info.version, manifest.version)
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map((operation) => (operation as { operationId: string }).operationId),
  )
  assert.equal(new Set(ids).size, ids.length)
  const text = JSON.stringify(document)
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    assert.ok(document.components.schemas[name!] !== undefined, name)
  }
})

test('every route of the application is documented, and every documented one is there', async () => {
  await using started = await start()
  const documented = operationsOf(await documentOf(started)).map(({ method, path }) => `${method} ${path}`)
  for (const route of documented) {
    const [method, path] = route.split(' ') as [string, string]
    const url = path.replace(/\{(\w+)\}/g, ':$1')
    assert.ok(started.gateway.app.hasRoute({ method: method as 'GET', url }), route)
  }
  for (const wanted of ['POST /v1/tasks', 'GET /v1/stream', 'POST /oauth/token', 'GET /metrics']) {
    assert.ok(documented.includes(wanted), wanted)
  }
})

test('the documentation page and its script come from here', async () => {
  await using started = await start()
  const page = await started.call('GET', '/docs/', { key: undefined })
  assert.equal(page.status, 200)
  const [, script] = /<script src="([^"]+)"/.exec(page.text) ?? []
  assert.ok(script !== undefined && !script.startsWith('http'))
  const code = await started.call('GET', `/docs/${script}`, { key: undefined })
  assert.deepEqual([code.status, code.text.length > 100_000], [200, true])
})

test(`${COUNT} requests made from the document find no undocumented answer and no failure`, async (t) => {
  t.diagnostic(`seed ${SEED}`)
  await using started = await start()
  const keys = [started.adminKey, await started.key('viewer'), await started.key('admin', 'acme'), undefined]
  const tasks: string[] = []
  const documents: string[] = []
  const known = (name: string): string[] => {
    if (name === 'id') return [...tasks, ...documents]
    if (name === 'agent' || name === 'name') return ['echo', 'strict']
    if (name === 'path') return ['troupe/core', 'nothing']
    if (name === 'collection') return ['papers', 'mails']
    if (name === 'documentId') return documents
    if (name === 'method') return ['initialize', 'ping', 'tools/list', 'tools/call', 'server/discover']
    if (name === 'grant_type') return ['client_credentials']
    return []
  }
  const next = requestMaker(await documentOf(started), SEED, known)
  const seen = new Map<number, number>()
  for (let count = 0; count < COUNT; count++) {
    const request = next()
    // Mostly the admin: a refusal at the first step tests little.
    const key = count % 5 < 3 ? keys[0] : keys[count % keys.length]
    const answer = await ask(started, request, key)
    seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
    remember(answer, request, tasks, documents)
  }
  t.diagnostic(`answers: ${JSON.stringify(Object.fromEntries(seen))}`)
  assert.ok((seen.get(200) ?? 0) > COUNT / 20, 'hardly any request was answered with 200')
})

interface Asked {
  status: number
  text: string
}

async function ask(started: Started, request: GeneratedRequest, key: string | undefined): Promise<Asked> {
  const { operation, path, headers, body } = request
  const abort = new AbortController()
  const answer = await fetch(started.url + path, {
    method: operation.method,
    headers: { ...headers, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
    signal: abort.signal,
    ...(body === undefined ? {} : { body }),
  })
  const about = `seed ${SEED}: ${operation.method} ${path} ${typeof body === 'string' ? body : ''}`
  const type = (answer.headers.get('content-type') ?? '').split(';')[0]!
  let text = ''
  if (type === 'text/event-stream') abort.abort()
  else text = await answer.text()
  const documented = operation.responses.get(answer.status)
  assert.ok(answer.status < 500, `${about} → ${answer.status} ${text}`)
  assert.ok(documented !== undefined, `${about} → ${answer.status} is not documented; ${text}`)
  // A download has its document's own type.
  if (!path.includes('/content') && text !== '') assert.ok(documented.includes(type), `${about} → ${type}`)
  return { status: answer.status, text }
}

function remember({ status, text }: Asked, request: GeneratedRequest, tasks: string[], documents: string[]): void {
  if ((status !== 202 && status !== 201) || text === '') return
  const id: unknown = JSON.parse(text).id
  if (typeof id !== 'string') return
  if (request.operation.path === '/v1/tasks') tasks.push(id)
  if (request.operation.path === '/v1/documents') documents.push(id)
}
