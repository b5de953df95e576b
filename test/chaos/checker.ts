// Counts what must be zero, from three witnesses: the client's accepted ids, the effect log, and the journal.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { TaskEvent } from '../../src/contract/events.ts'
import { hasEnded, type Task } from '../../src/contract/task.ts'
import type { Journal } from '../../src/journal/journal.ts'
import type { Accepted } from './load.ts'

export interface Findings {
  accepted: number
  effects: number
  /** Accepted, and not in the journal. */
  lost: number
  /** Not ended when recovery was over. */
  unfinished: number
  /** Ended in another way than the scenario expects. */
  failed: number
  /** Keys under which two different values were written; tasks whose effects carry more keys than steps. */
  twoOutcomes: number
  /** A step recorded twice, anything after the end, or a task begun by a host that had lost it. */
  staleCommits: number
  /** Holes in a log. */
  holes: number
  /** Messages that an actor took out of order, or twice, or not at all. */
  inversions: number
}

const LOOK_MS = 250
const AT_A_TIME = 50
const PAGE = 500

export async function check(
  journal: Journal,
  folder: string,
  accepted: Accepted[],
  options: { patienceMs: number; mayFail?: (agent: string) => boolean },
): Promise<Findings & { recoveredMs: number }> {
  const since = performance.now()
  const waiting = new Map(accepted.map((entry) => [entry.id, entry]))
  const ended = new Map<string, Task>()
  const findings: Findings = {
    accepted: accepted.length,
    effects: 0,
    lost: 0,
    unfinished: 0,
    failed: 0,
    twoOutcomes: 0,
    staleCommits: 0,
    holes: 0,
    inversions: 0,
  }
  for (;;) {
    for (const ids of pages([...waiting.keys()])) {
      for (const [index, task] of (await Promise.all(ids.map((id) => journal.get(id)))).entries()) {
        const id = ids[index]!
        if (task === undefined) findings.lost += 1
        else if (hasEnded(task.state)) ended.set(id, task)
        else continue
        waiting.delete(id)
      }
    }
    if (waiting.size === 0 || performance.now() - since > options.patienceMs) break
    await wait(LOOK_MS)
  }
  const recoveredMs = Math.round(performance.now() - since)
  findings.unfinished = waiting.size

  for (const ids of pages([...ended.keys()])) {
    for (const log of await Promise.all(ids.map((id) => wholeLog(journal, id)))) {
      if (log.some((event, index) => event.number !== index + 1)) findings.holes += 1
      findings.staleCommits += staleCommits(log)
    }
  }
  for (const { id, agent } of accepted) {
    const task = ended.get(id)
    if (task === undefined) continue
    if (task.state !== 'completed' && options.mayFail?.(agent) !== true) findings.failed += 1
    if (agent === 'chaos-mailbox' && task.state === 'completed') {
      const { numbers } = task.output as { numbers: number[] }
      if (numbers.some((number, index) => number !== index + 1)) findings.inversions += 1
    }
  }
  const effects = readEffects(folder)
  findings.effects = effects.length
  findings.twoOutcomes = twoOutcomes(effects, ended)
  return { ...findings, recoveredMs }
}

/** All that must be zero. */
export function violations(findings: Findings): number {
  const { lost, unfinished, failed, twoOutcomes, staleCommits, holes, inversions } = findings
  return lost + unfinished + failed + twoOutcomes + staleCommits + holes + inversions
}

function* pages(ids: string[]): Generator<string[]> {
  for (let at = 0; at < ids.length; at += AT_A_TIME) yield ids.slice(at, at + AT_A_TIME)
}

async function wholeLog(journal: Journal, id: string): Promise<TaskEvent[]> {
  const events: TaskEvent[] = []
  for (;;) {
    const page = await journal.events(id, events.length, PAGE)
    events.push(...page)
    if (page.length < PAGE) return events
  }
}

const ENDS = new Set(['task.completed', 'task.failed', 'task.cancelled', 'task.rejected'])

function staleCommits(log: TaskEvent[]): number {
  const recorded = new Set<string>()
  const lostBy = new Set<string>()
  let ended = false
  let found = 0
  for (const { body } of log) {
    if (ended) found += 1
    if (ENDS.has(body.type)) ended = true
    if (body.type === 'task.owner_lost') lostBy.add(body.host)
    // A host that loses a task has lost its lease: it can claim nothing until it begins again, under another id.
    if ((body.type === 'task.started' || body.type === 'task.resumed') && lostBy.has(body.host)) found += 1
    if (body.type !== 'step.completed') continue
    if (recorded.has(body.step)) found += 1
    recorded.add(body.step)
  }
  return found
}

export interface Effect {
  task: string
  step: string
  key: string
  value: string
  process: number
  /** By the wall clock of the host that did it. */
  at: number
}

export function readEffects(folder: string): Effect[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('effects-'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Effect)
}

function twoOutcomes(effects: Effect[], ended: Map<string, Task>): number {
  const valueUnder = new Map<string, string>()
  const keyOf = new Map<string, string>()
  const wrong = new Set<string>()
  for (const { task, step, key, value } of effects) {
    if ((valueUnder.get(key) ?? value) !== value) wrong.add(key)
    valueUnder.set(key, value)
    const place = `${task} ${step}`
    if ((keyOf.get(place) ?? key) !== key) wrong.add(place)
    keyOf.set(place, key)
    // What the caller was told is what was done.
    const output = ended.get(task)?.output as { drawn?: string } | undefined
    if (output?.drawn !== undefined && output.drawn !== value) wrong.add(key)
  }
  return wrong.size
}
