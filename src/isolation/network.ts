// Loaded before any code of the plug-in: whatever Node offers to reach another machine refuses, except the addresses
// that the manifest declares, which are the process's arguments. Where the kernel gives the process no network, this
// gives the clear error; where it does not, this is all there is, and code that is bent on it may find a way around.
import dgram from 'node:dgram'
import net from 'node:net'

const allowed = new Set(process.argv.slice(2))

function refused(what: string): Error {
  const message = `${what} is not declared in the manifest’s permissions.network.`
  return Object.assign(new Error(message), { code: 'ERR_ACCESS_DENIED' })
}

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (this: net.Socket, ...given: unknown[]): net.Socket {
  // Node itself passes what `net.connect` has normalised as one array.
  const [first] = Array.isArray(given[0]) ? given[0] : given
  const options = typeof first === 'object' && first !== null ? (first as { host?: string; port?: unknown }) : {}
  const [host, port] =
    typeof first === 'object' ? [options.host ?? 'localhost', options.port] : [given[1] ?? 'localhost', first]
  if (!allowed.has(`${host}:${port}`)) throw refused(`A connection to ${host}:${port}`)
  return Reflect.apply(connect, this, given) as net.Socket
} as typeof connect

net.Server.prototype.listen = () => {
  throw refused('Listening')
}
for (const verb of ['bind', 'send', 'connect'] as const) {
  dgram.Socket.prototype[verb] = () => {
    throw refused('A datagram')
  }
}
for (const [owner, verbs] of [
  [net.Socket.prototype, ['connect']],
  [net.Server.prototype, ['listen']],
  [dgram.Socket.prototype, ['bind', 'send', 'connect']],
] as const) {
  for (const verb of verbs) Object.defineProperty(owner, verb, { writable: false, configurable: false })
}
// The way around all of the above.
Object.defineProperty(process, 'binding', { value: undefined, writable: false, configurable: false })
