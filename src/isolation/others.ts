// Loaded before any code of the plug-in: Node's permission model lets a process signal every other process of its user,
// the host among them. It keeps only the right to end itself.
import os from 'node:os'

function refuse(what: string): never {
  const message = `${what} another process is not what an isolated plug-in may do.`
  throw Object.assign(new Error(message), { code: 'ERR_ACCESS_DENIED' })
}

const kill = process.kill
const replaced: [owner: object, name: string, value: unknown][] = [
  [
    process,
    'kill',
    (pid: number, signal?: NodeJS.Signals | number) =>
      pid === process.pid ? Reflect.apply(kill, process, [pid, signal]) : refuse('Signalling'),
  ],
  // `process.kill` itself reads `_kill` when it is called, so that one stays, behind the same rule.
  [process, '_kill', guarded((process as unknown as { _kill: (pid: number, signal: number) => number })._kill)],
  [process, '_debugProcess', () => refuse('Debugging')],
  [os, 'setPriority', () => refuse('Slowing')],
]
for (const [owner, name, value] of replaced) {
  Object.defineProperty(owner, name, { value, writable: false, configurable: false })
}

function guarded(raw: (pid: number, signal: number) => number) {
  return (pid: number, signal: number) =>
    pid === process.pid ? Reflect.apply(raw, process, [pid, signal]) : refuse('Signalling')
}
