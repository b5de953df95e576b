// Loaded before any code of the plug-in: whatever Node offers to reach another machine refuses, except the addresses
// that the manifest declares, which are the process's arguments, and their names; to ask for a name is to send it. Where the kernel gives the process no network, this
// gives the clear error; where it does not, this is all there is, and code that is bent on it may find a way around.
import dgram from 'node:dgram'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

const allowed = new Set(process.argv.slice(2))
const names = new Set([...allowed].map((address) => address.slice(0, address.lastIndexOf(':'))))

interface Target {
  host?: string
  port?: unknown
  path?: unknown
  lookup?: unknown
}

function refused(what: string): Error {
  const message = `${what} is not declared in the manifest’s permissions.network.`
  return Object.assign(new Error(message), { code: 'ERR_ACCESS_DENIED' })
}

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (this: net.Socket, ...given: unknown[]): net.Socket {
  // Node itself passes what `net.connect` has normalised as one array.
  const [first] = Array.isArray(given[0]) ? given[0] : given
  const options = typeof first === 'object' && first !== null ? (first as Target) : {}
  const [host, port] =
    typeof first === 'object' ? [options.host ?? 'localhost', options.port] : [given[1] ?? 'localhost', first]
  if (options.path !== undefined) throw refused(`A connection to ${options.path}`)
  if (!allowed.has(`${host}:${port}`)) throw refused(`A connection to ${host}:${port}`)
  // Its answer would be believed, whatever machine it names.
  if (options.lookup !== undefined) throw refused('A lookup of the plug-in’s own')
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

const { lookup } = dns
const lookupLater = dns.promises.lookup
dns.lookup = ((...given: Parameters<typeof lookup>) => {
  if (!names.has(given[0])) throw refused(`The name ${given[0]}`)
  return lookup(...given)
}) as typeof lookup
dns.promises.lookup = (async (...given: Parameters<typeof lookupLater>) => {
  if (!names.has(given[0])) throw refused(`The name ${given[0]}`)
  return await lookupLater(...given)
}) as typeof lookupLater
// These speak to a name server themselves, and to one that whoever asks may choose.
for (const asker of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
  const verbs = Object.getOwnPropertyNames(asker).filter((name) => /^(resolve|reverse$|lookupService$)/.test(name))
  const value = () => {
    throw refused('A question to a name server')
  }
  for (const verb of verbs) Object.defineProperty(asker, verb, { value, writable: false, configurable: false })
}
// What is imported by its own name is this, too.
syncBuiltinESMExports()

// The way around all of the above.
Object.defineProperty(process, 'binding', { value: undefined, writable: false, configurable: false })
