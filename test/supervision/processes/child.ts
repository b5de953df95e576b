// A child process for process-child.test.ts. First argument: what it does. Second: a port to hold a connection to, so
// that the test sees its death at once, as the end of the connection.
import { connect } from 'node:net'
import { underSupervisor } from '../../../src/supervision/index.ts'

const [behaviour = 'serve', port] = process.argv.slice(2)
const connection = port === undefined ? undefined : connect(Number(port), '127.0.0.1')
connection?.write(`${process.pid}\n`)

const side = underSupervisor({
  async drain(cause) {
    if (behaviour === 'stubborn') await new Promise(() => undefined)
    if (behaviour === 'broken-drain') throw new Error('cannot let go')
    process.stdout.write(`drained because ${cause}\n`)
  },
})
// Something to live for, until told otherwise.
const life = setInterval(() => undefined, 1_000_000)

switch (behaviour) {
  case 'die-early':
    process.stderr.write('no such model: whale\n')
    process.exit(1)
    break
  case 'silent':
    break
  case 'speak':
    process.stdout.write('two\nlines, and é split\n')
    process.stderr.write('listening on 8080\r\nunfinished')
    break
  case 'finish':
    side.ready()
    side.leave()
    clearInterval(life)
    connection?.destroy()
    break
  default:
    side.ready({ version: '1.2.3', attempt: 7 })
}
// An order from the test, over the connection: end like this.
connection?.on('data', (order) => {
  const how = order.toString().trim()
  if (how.startsWith('SIG')) process.kill(process.pid, how as NodeJS.Signals)
  else if (how === 'block') {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_200)
    connection.write('over\n')
  } else if (how === 'throw') throw new Error('out of cheese')
  else process.exit(Number(how))
})
