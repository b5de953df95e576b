// crashEverywhere: runs a task once in peace, counting its commits; then once for each commit, killing everything that
// is in memory right after (and right before) that commit and starting anew from the journal. The outcome must be the
// same each time, and the log without a gap.
import { isDeepStrictEqual } from 'node:util'
import type { Journal } from '../../journal/journal.ts'
import type { Agent } from '../define-agent.ts'
import { bound, followToEnd, openStage, type RunOptions, type TaskResult, withJournal } from './run-agent.ts'

export interface CrashReport {
  /** Commits of a run in peace: so many places to die at. */
  commits: number
  /** Runs that ended differently; empty is what you want. */
  differences: { commit: number; when: 'before' | 'after'; got: TaskResult['task']; wanted: TaskResult['task'] }[]
  /** Runs whose log had a gap or a repetition. */
  gaps: { commit: number; when: 'before' | 'after' }[]
}

export async function crashEverywhere(agent: Agent, input: unknown, options: RunOptions = {}): Promise<CrashReport> {
  // The same object for every life: it names the document store, which outlives a crash.
  const given = { ...options, services: options.services ?? {} }
  const agents = [agent, ...(options.others ?? [])]
  const peace = await runWithCrash(agents, input, given, undefined)
  const report: CrashReport = { commits: peace.commits, differences: [], gaps: [] }
  for (let commit = 1; commit <= peace.commits; commit++) {
    for (const when of ['before', 'after'] as const) {
      const { result } = await runWithCrash(agents, input, given, { commit, when })
      if (!sameEnd(result, peace.result)) {
        report.differences.push({ commit, when, got: result.task, wanted: peace.result.task })
      }
      if (result.events.some((event, index) => event.number !== index + 1)) report.gaps.push({ commit, when })
    }
  }
  return report
}

interface CrashPoint {
  commit: number
  when: 'before' | 'after'
}

async function runWithCrash(agents: Agent[], input: unknown, options: RunOptions, point: CrashPoint | undefined) {
  return await withJournal(async (journal) => {
    const crash = Promise.withResolvers<void>()
    const died = new AbortController()
    const counted = countCommits(journal, point, crash.resolve)
    let stage = await openStage(counted.journal, agents, options)
    try {
      const { task } = await stage.desk.submit({ tenant: 'test', agent: agents[0]!.name, input })
      const first = await Promise.race([
        followToEnd(stage.desk, task.id, options, died.signal).catch((error: unknown) => ({ error })),
        crash.promise.then(() => undefined),
      ])
      if (first !== undefined && !('error' in first)) return { result: first, commits: counted.commits() }
      if (first !== undefined && point === undefined) throw first.error
      died.abort()
      // The dead process's lease is ended, as a local supervisor does when it sees the exit.
      await stage.close()
      stage = await openStage(journal, agents, options)
      return { result: await followToEnd(stage.desk, task.id, options), commits: counted.commits() }
    } finally {
      await stage.close()
    }
  })
}

/** The journal of a process that dies at one commit: after that moment none of its calls arrives any more. */
function countCommits(journal: Journal, point: CrashPoint | undefined, onCrash: () => void) {
  let commits = 0
  let dead = false
  const never = new Promise<never>(() => {})
  const dying: Journal = {
    ...bound(journal),
    async commit(commit) {
      if (dead) return await never
      commits += 1
      const dies = point !== undefined && commits === point.commit
      if (dies) dead = true
      if (dies && point.when === 'before') {
        onCrash()
        return await never
      }
      const outcome = await journal.commit(commit)
      if (!dies) return outcome
      onCrash()
      return await never
    },
  }
  return { journal: dying, commits: () => commits }
}

function sameEnd(left: TaskResult, right: TaskResult): boolean {
  const { state, output, error } = left.task
  return (
    state === right.task.state && isDeepStrictEqual(output, right.task.output) && error?.code === right.task.error?.code
  )
}
