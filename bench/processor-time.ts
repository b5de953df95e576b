// Processor time of other processes, as Linux counts it in /proc: in steps of 10 ms, which thousands of tasks even out.
import { readdirSync, readFileSync } from 'node:fs'

const TICK_MS = 10
/** Of /proc/PID/stat, counted after the command's closing bracket. */
const PARENT = 1
const USER = 11
const SYSTEM = 12

/** Milliseconds of each process together with its living children, which are those of a server. Empty without /proc. */
export function processorTimes(pids: Record<string, number | undefined>): Record<string, number> {
  const processes = readAll()
  const times: Record<string, number> = {}
  for (const [name, pid] of Object.entries(pids)) {
    if (pid === undefined || !processes.has(pid)) continue
    const own = processes.get(pid)!.ms
    // Of this process the children are the others.
    const children = pid === process.pid ? [] : [...processes.values()].filter(({ parent }) => parent === pid)
    times[name] = children.reduce((sum, { ms }) => sum + ms, own)
  }
  return times
}

function readAll(): Map<number, { parent: number; ms: number }> {
  const processes = new Map<number, { parent: number; ms: number }>()
  for (const name of process.platform === 'linux' ? readdirSync('/proc') : []) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const ms = (Number(fields[USER]) + Number(fields[SYSTEM])) * TICK_MS
      processes.set(Number(name), { parent: Number(fields[PARENT]), ms })
    } catch {
      // It ended meanwhile.
    }
  }
  return processes
}
