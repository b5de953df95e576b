// The running system. Open this file and you see what runs, what is started before what, and what a crash brings down.
//
//   embedded                          cluster
//   troupe                            troupe
//   ├─ inference   ONNX models        ├─ inference
//   ├─ retrieval   collections        ├─ retrieval
//   └─ core        gateway, host,     ├─ hosts ─ host-1 … host-N
//                  journal, bus       └─ gateway
//
// Each child is an operating-system process. They start in this order, each when the one before it is ready, so that
// the gateway takes work only when everything behind it stands; they stop in reverse. No child needs another to go on:
// a crash restarts the one that crashed (one_for_one), and the others find it again at the address it had. One that hangs
// is killed and has crashed.
import {
  type OutputLine,
  type ProcessSpec,
  processChild,
  type SupervisorSpec,
  supervisorChild,
} from '../src/supervision/index.ts'

export type Role = 'inference' | 'retrieval' | 'core' | 'gateway' | 'host'

export interface TreeOptions {
  /** What Node is given to start a role. */
  program(role: Role): string[]
  /** The whole environment of a role's process. */
  environment(role: Role, id: string): Record<string, string | undefined>
  output(line: OutputLine): void
  /** Milliseconds that running work gets when a process is told to stop. */
  graceMs: number
  /** Milliseconds without an answer after which a process hangs, and is replaced; 0: it may hang for ever. */
  hangMs: number
}

/**
 * Generous, because to give up here ends the whole installation: a process that has served for five seconds starts
 * afresh, and only one that dies thirty times a minute without ever serving that long is hopeless.
 */
const BUDGET = { intensity: 30, period: 60_000, forgiveAfter: 5_000 }

/** What died of an accident is back at once; what dies again and again waits, but never long: callers are waiting too. */
const BACKOFF = { immediate: 3, first: 100, factor: 2, max: 1_500, jitter: 0.5 }

/** What a process needs beyond the grace to close its stores. */
const CLOSING_MS = 5_000
/** A model repository is read, and each model tried, before the inference worker is ready. */
const READY_MS = 120_000

export function embeddedTree(options: TreeOptions): SupervisorSpec {
  return {
    id: 'troupe',
    ...BUDGET,
    children: [child('inference', options), child('retrieval', options), child('core', options)],
  }
}

export function clusterTree(options: TreeOptions & { hosts: number }): SupervisorSpec {
  const hosts = Array.from({ length: options.hosts }, (_, index) => child('host', options, `host-${index + 1}`))
  return {
    id: 'troupe',
    ...BUDGET,
    children: [
      child('inference', options),
      child('retrieval', options),
      supervisorChild({
        id: 'hosts',
        ...BUDGET,
        intensity: BUDGET.intensity * options.hosts,
        children: hosts,
        // One after another, each would hand its tasks to the next that is told to stop.
        stopTogether: true,
      }),
      child('gateway', options),
    ],
  }
}

function child(role: Role, options: TreeOptions, id: string = role) {
  const spec: ProcessSpec = {
    id,
    args: options.program(role),
    env: options.environment(role, id),
    output: options.output,
    backoff: BACKOFF,
    readyTimeout: READY_MS,
    answerWithin: options.hangMs,
    shutdown: options.graceMs + CLOSING_MS,
  }
  return processChild(spec)
}
