// Documents at addresses: what is read, and every way in which a server or a name may try to make it something else.
import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { isPublicAddress } from '../../src/outside/addresses.ts'
import { createWeb, readAllowed } from '../../src/outside/index.ts'

const LIMITS = { bytes: 100_000, time: 3_000, silence: 500, redirects: 3 }
let server: Server
let secrets: Server
let base: string
let secretBase: string
let asked: string[] = []

async function serve(listener: RequestListener): Promise<[Server, string]> {
  const made = createServer(listener)
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  return [made, `http://127.0.0.1:${(made.address() as AddressInfo).port}`]
}

before(async () => {
  ;[secrets, secretBase] = await serve((request, response) => {
    asked.push(`secret ${request.url}`)
    response.end('the metadata of the cloud')
  })
  ;[server, base] = await serve((request, response) => {
    asked.push(request.url ?? '')
    const url = new URL(request.url ?? '', base)
    const text = { 'content-type': 'text/plain' }
    switch (url.pathname) {
      case '/docs/report.txt':
        return response.writeHead(200, text).end('Revenue grew.')
      case '/docs/named':
        return response
          .writeHead(200, { ...text, 'content-disposition': 'attachment; filename="../../etc/q3 report.txt"' })
          .end('x')
      case '/docs/moved':
        return response.writeHead(302, { location: url.searchParams.get('to') ?? 'report.txt' }).end()
      case '/docs/round':
        return response.writeHead(302, { location: '/docs/round' }).end()
      case '/docs/endless': {
        response.writeHead(200, text)
        const pour = () => {
          while (!response.destroyed && response.write('x'.repeat(16_384)));
        }
        response.on('drain', pour)
        return pour()
      }
      case '/docs/silent':
        return response.writeHead(200, text).write('begun')
      case '/docs/dripping': {
        response.writeHead(200, text)
        const drip = setInterval(() => response.write('x'), 50)
        return response.on('close', () => clearInterval(drip))
      }
      case '/docs/says-huge':
        return response.writeHead(200, { ...text, 'content-length': 10_000_000_000 }).write('little')
      case '/docs/says-more':
        response.writeHead(200, { ...text, 'content-length': 500 }).write('little')
        return setImmediate(() => response.socket?.destroy())
      case '/docs/film':
        return response.writeHead(200, { 'content-type': 'video/mp4' }).end('x')
      case '/docs/packed':
        return response.writeHead(200, { ...text, 'content-encoding': 'gzip' }).end('x')
      case '/docs/broken':
        return response.writeHead(503).end()
      default:
        return response.writeHead(404, text).end('nothing here')
    }
  })
})
after(() => {
  for (const one of [server, secrets]) {
    one.closeAllConnections()
    one.close()
  }
})

function read(address: string, { signal = new AbortController().signal, urls = [] as string[], limits = LIMITS } = {}) {
  asked = []
  const allowed = readAllowed({ public: urls, private: [`${base}/docs/`] })
  return createWeb(allowed, limits)({ signal }).read(address)
}

test('a file at an allowed address is read, with its name and type, also behind a redirect', async () => {
  const file = await read(`${base}/docs/report.txt?version=2`)
  assert.deepEqual(
    [file.name, file.mime, Buffer.from(file.content).toString()],
    ['report.txt', 'text/plain', 'Revenue grew.'],
  )
  const moved = await read(`${base}/docs/moved`)
  assert.equal(moved.url, `${base}/docs/report.txt`)
  assert.equal((await read(`${base}/docs/named`)).name, 'q3 report.txt')
})

test('without a list no address is read, and none beside the list', async () => {
  const nothing = createWeb(readAllowed({ public: [], private: [] }))({ signal: new AbortController().signal })
  await assert.rejects(nothing.read('https://example.org/a.pdf'), { code: 'address_refused' })
  for (const address of [
    `${base}/other/report.txt`,
    `${base}/docs/../other`,
    `${base}/docs/%2e%2e/other`,
    `${secretBase}/docs/`,
    `http://user:password@${new URL(base).host}/docs/report.txt`,
    `https://${new URL(base).host}/docs/report.txt`,
    'file:///etc/passwd',
    'ftp://example.org/a',
    'no address',
  ]) {
    await assert.rejects(read(address), { code: 'address_refused' }, address)
    assert.deepEqual(asked, [], address)
  }
})

test('an address that leads into this machine is refused though the list allows it, by number and by name', async () => {
  const { port } = new URL(secretBase)
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0']) {
    const address = `http://${host}:${port}/`
    await assert.rejects(read(address, { urls: [address] }), { code: 'address_refused' }, host)
    assert.deepEqual(asked, [], host)
  }
})

test('a redirect is judged like the first address', async () => {
  const to = (target: string) => `${base}/docs/moved?to=${encodeURIComponent(target)}`
  await assert.rejects(read(to(`${secretBase}/latest/meta-data`)), { code: 'address_refused' })
  // Allowed by the list, but it leads into this machine and is not in the list for that.
  await assert.rejects(read(to(`${secretBase}/latest`), { urls: [`${secretBase}/`] }), { code: 'address_refused' })
  await assert.rejects(read(to('file:///etc/passwd')), { code: 'address_refused' })
  await assert.rejects(read(to('/other/report.txt')), { code: 'address_refused' })
  assert.ok(!asked.some((one) => one.startsWith('secret')))
  await assert.rejects(read(`${base}/docs/round`), { code: 'limit_exceeded', message: /redirects more than 3/ })
})

test('a body that never ends is given up at the limit of bytes', async () => {
  await assert.rejects(read(`${base}/docs/endless`), { code: 'limit_exceeded', message: /100000 bytes/ })
})

test('a body that stops coming, and one that comes a byte at a time, are given up at the limit of time', async () => {
  await assert.rejects(read(`${base}/docs/silent`), { code: 'limit_exceeded', message: /silent for 500 ms/ })
  const limits = { ...LIMITS, time: 400 }
  await assert.rejects(read(`${base}/docs/dripping`, { limits }), {
    code: 'limit_exceeded',
    message: /longer than 400/,
  })
})

test('a length that lies is not believed: too much is refused at once, too little is no document', async () => {
  await assert.rejects(read(`${base}/docs/says-huge`), { code: 'limit_exceeded' })
  await assert.rejects(read(`${base}/docs/says-more`), { code: 'unavailable' })
})

test('what is no document, packed unasked, missing or broken is named', async () => {
  await assert.rejects(read(`${base}/docs/film`), { code: 'document_unreadable', message: /video\/mp4/ })
  await assert.rejects(read(`${base}/docs/packed`), { code: 'document_unreadable', message: /gzip/ })
  await assert.rejects(read(`${base}/docs/missing.pdf`), { code: 'document_unreadable', message: /404/ })
  await assert.rejects(read(`${base}/docs/broken`), { code: 'unavailable', message: /503/ })
})

test('an abort ends the download', async () => {
  const stop = new AbortController()
  const reading = read(`${base}/docs/dripping`, { signal: stop.signal })
  stop.abort(new Error('enough'))
  await assert.rejects(reading, { message: 'enough' })
})

test('the list: wildcards stand for hosts below, paths for whole words, and nothing private hides behind a wildcard', () => {
  const allowed = readAllowed({ public: ['https://*.example.org/reports'], private: ['http://intranet:8080'] })
  const judge = (address: string) => allowed.judge(new URL(address))
  assert.equal(judge('https://files.example.org/reports/q3.pdf').allowed, true)
  assert.equal(judge('https://a.b.example.org/reports').allowed, true)
  assert.equal(judge('https://example.org/reports').allowed, false)
  assert.equal(judge('https://badexample.org/reports').allowed, false)
  assert.equal(judge('https://files.example.org/reports-secret').allowed, false)
  assert.equal(judge('https://files.example.org:8443/reports').allowed, false)
  assert.deepEqual(judge('http://intranet:8080/a'), { allowed: true, private: true })
  assert.equal(judge('https://files.example.org/reports').private, false)
  for (const lists of [
    { public: ['example.org'], private: [] },
    { public: ['ftp://example.org'], private: [] },
    { public: ['https://me:secret@example.org'], private: [] },
    { public: [], private: ['http://*.local'] },
  ]) {
    assert.throws(() => readAllowed(lists), { code: 'configuration_invalid' })
  }
})

test('which addresses are public', () => {
  const closed =
    '127.0.0.1 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255 198.18.0.1 192.0.2.1 ' +
    ':: ::1 fe80::1 fc00::1 fd12::1 ff02::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 2001:db8::1 2002:7f00:1:: 2001::1'
  for (const address of closed.split(' ')) assert.equal(isPublicAddress(address), false, address)
  for (const address of '8.8.8.8 172.32.0.1 1.1.1.1 2606:4700::1111 2a00:1450::1'.split(' ')) {
    assert.equal(isPublicAddress(address), true, address)
  }
})
