// Counts tasks and steps where a host lets itself be watched: around each step and each commit of an incarnation.

import { toTroupeError } from '../contract/errors.ts'
import type { EventBody } from '../contract/events.ts'
import { hasEnded } from '../contract/task.ts'
import type { Observation, Observe } from '../host/observe.ts'
import type { ActorCommit, CommitOutcome, TaskRow } from '../journal/journal.ts'
import type { Labels, Metrics } from '../workers/grpc/metrics.ts'
import type { PlatformFeed } from './platform-feed.ts'

const TASK_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600, 86_400]
const STEP_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const GROUP = [1, 2, 4, 8, 16, 32, 64, 128, 256]
const MAILS = [0, 1, 2, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000]

/**
 * `agents`: what may run here. Their counters begin at zero: a rate knows no first step from nothing to one. `onEnded` is
 * called within the commit's answer: it must not wait.
 */
export function measureHost(
  metrics: Metrics,
  agents: readonly string[],
  onEnded: PlatformFeed['ended'] = () => {},
): (inner: Observe) => Observe {
  const started = metrics.counter('troupe_tasks_started_total', 'Tasks that began to run')
  const waited = metrics.histogram('troupe_task_wait_seconds', 'From accepted to begun', TASK_SECONDS)
  const resumed = metrics.counter('troupe_tasks_resumed_total', 'Incarnations after the first, by cause')
  const ended = metrics.counter('troupe_tasks_ended_total', 'Tasks that ended, by state and error code')
  const lasted = metrics.histogram('troupe_task_duration_seconds', 'From accepted to ended', TASK_SECONDS)
  const crashed = metrics.counter('troupe_task_crashes_total', 'Crashes of actors by their agent’s own fault')
  const retried = metrics.counter('troupe_step_retries_total', 'Steps tried again')
  const steps = metrics.histogram('troupe_step_duration_seconds', 'Time of one try of a step', STEP_SECONDS)
  const committed = metrics.histogram('troupe_journal_commit_seconds', 'Time of an actor’s commit', COMMIT_SECONDS)
  const refused = metrics.counter('troupe_journal_commits_refused_total', 'Commits of owners of yesterday, by cause')
  const backlog = metrics.histogram('troupe_mailbox_backlog', 'Mail still unread when an actor has read some', MAILS)
  const tokens = metrics.counter('troupe_llm_tokens_total', 'Tokens that ended tasks have spent')
  const asked = metrics.counter('troupe_tasks_submitted_total', 'Tasks accepted, from outside or asked by an agent')
  const group = groupCounter(metrics)
  const labelsOf = remembered()
  const none = {}
  for (const agent of agents) {
    for (const counter of [started, crashed, retried]) counter(labelsOf(agent), 0)
    resumed(labelsOf(agent, 'because', 'takeover'), 0)
    for (const state of ['completed', 'failed']) ended(labelsOf(agent, 'state', state, ''), 0)
  }

  function count(task: TaskRow, commit: ActorCommit, outcome: CommitOutcome & { applied: true }): void {
    const { agent } = task
    for (const body of commit.events) tell(agent, body, (outcome.at - task.createdAt) / 1_000)
    for (const child of outcome.children) asked(labelsOf(child.agent, 'from', 'agent'))
    if (commit.mailRead !== undefined) backlog(none, Math.max(0, outcome.mailPosition - commit.mailRead))
    if (!hasEnded(commit.state)) return
    onEnded(task, commit.state, outcome.at - task.createdAt, commit.error?.code)
    ended(labelsOf(agent, 'state', commit.state, commit.error?.code ?? ''))
    lasted(labelsOf(agent), (outcome.at - task.createdAt) / 1_000)
    const { inputTokens = 0, outputTokens = 0 } = commit.usage ?? {}
    if (inputTokens > 0) tokens(labelsOf(agent, 'kind', 'input'), inputTokens)
    if (outputTokens > 0) tokens(labelsOf(agent, 'kind', 'output'), outputTokens)
  }

  function tell(agent: string, body: EventBody, ageSeconds: number): void {
    if (body.type === 'task.started') {
      started(labelsOf(agent))
      waited(labelsOf(agent), ageSeconds)
    } else if (body.type === 'task.resumed') resumed(labelsOf(agent, 'because', body.because))
    else if (body.type === 'task.crashed') crashed(labelsOf(agent))
    else if (body.type === 'step.retrying') retried(labelsOf(agent))
  }

  return (inner) =>
    (task): Observation => {
      const watched = inner(task)
      const { around } = watched
      let committing = 0
      return {
        around: {
          async step(row, run, work) {
            const begun = performance.now()
            const result = await around.step(row, run, work)
            const outcome = result.ok ? 'ok' : toTroupeError(result.error, 'step_failed').code
            steps(labelsOf(task.agent, 'outcome', outcome), (performance.now() - begun) / 1_000)
            return result
          },
          committing(made) {
            committing = performance.now()
            around.committing(made)
          },
          committed(made, outcome) {
            committed(none, (performance.now() - committing) / 1_000)
            group()
            if (outcome.applied) count(task, made, outcome)
            else refused(labelsOf(undefined, 'because', outcome.because))
            around.committed(made, outcome)
          },
        },
        ended: (exit) => watched.ended(exit),
      }
    }
}

/** Commits whose answers come in one turn of the event loop went together: they shared one fsync. */
function groupCounter(metrics: Metrics): () => void {
  const sizes = metrics.histogram('troupe_journal_group_size', 'Commits of this host that went together', GROUP)
  const none = {}
  let answered = 0
  return () => {
    answered += 1
    if (answered > 1) return
    setImmediate(() => {
      sizes(none, answered)
      answered = 0
    })
  }
}

/** The same labels are the same object, whose text is made once. As many as there are agents, states and codes. */
function remembered() {
  const all = new Map<string, Labels>()
  return (agent: string | undefined, name?: string, value = '', code?: string): Labels => {
    const key = `${agent}\n${value}\n${code}`
    let labels = all.get(key)
    if (labels === undefined) {
      labels = {
        ...(agent === undefined ? {} : { agent }),
        ...(name === undefined ? {} : { [name]: value }),
        ...(code === undefined ? {} : { code }),
      }
      all.set(key, labels)
    }
    return labels
  }
}
