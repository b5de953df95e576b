import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { namespacesRefused, openNamespace } from './namespace.ts'

const refused = namespacesRefused()
const options = { skip: refused !== false && refused, timeout: 120_000 }

/** Says a number ten times a second, for ever. */
const TALKER = `
  const [host, port] = process.argv.slice(1)
  const socket = require('node:net').connect(Number(port), host)
  let n = 0
  setInterval(() => socket.write(++n + '\\n'), 100)
`

test(
  'a pulled cable delivers nothing and tells nobody; plugged in again, the same connection delivers what was sent',
  options,
  async (t) => {
    const namespace = openNamespace(2)
    const [cable, other] = namespace.cables
    const sockets: Socket[] = []
    const server = createServer((socket) => sockets.push(socket))
    server.listen(0, cable!.address)
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const { command, args } = namespace.inside(process.execPath, ['-e', TALKER, cable!.address, String(port)])
    const talker = spawn(command, args, { stdio: 'ignore' })
    t.after(() => {
      talker.kill('SIGKILL')
      for (const socket of sockets) socket.destroy()
      server.close()
      namespace.close()
    })
    await once(server, 'connection')
    let heard = ''
    sockets[0]!.setEncoding('utf8').on('data', (text) => {
      heard += text
    })
    const last = () => Number(heard.trimEnd().split('\n').at(-1))
    await once(sockets[0]!, 'data')

    other!.pull()
    const before = last()
    while (last() < before + 3) await once(sockets[0]!, 'data')

    cable!.pull()
    const cut = last()
    // Time is what is tested: ten more are said meanwhile.
    await wait(1_000)
    assert.ok(last() <= cut + 1, `${last() - cut} arrived over a pulled cable`)
    assert.equal(talker.exitCode, null)

    cable!.plug()
    while (last() < cut + 10) await once(sockets[0]!, 'data')
    assert.equal(sockets.length, 1)
    const numbers = heard.slice(0, heard.lastIndexOf('\n')).split('\n').map(Number)
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
    )
  },
)

test('a namespace and its cables are gone when the process that made them is killed', options, async () => {
  const maker = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { openNamespace } from ${JSON.stringify(join(import.meta.dirname, 'namespace.ts'))}
       console.log(openNamespace(2).name)
       setInterval(() => {}, 1_000)`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [said] = (await once(maker.stdout, 'data')) as [Buffer]
  const name = said.toString().trim()
  const there = () =>
    execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).includes(name) ||
    execFileSync('ip', ['-br', 'link'], { encoding: 'utf8' }).includes(`tr${maker.pid}-`)
  assert.ok(there())
  maker.kill('SIGKILL')
  while (there()) await wait(20)
})
