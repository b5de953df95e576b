// A task's log as it grows, in words.
import type { EventView, GatewayClient, TaskView } from './client.ts'
import type { Context } from './context.ts'
import { EXIT } from './exit-codes.ts'
import { duration } from './table.ts'
import { COMMAND } from './terminal.ts'

/** Shows what happens on stderr until the task ends, then gives the task. `quiet` shows only that something does. */
export async function watchTask(
  { terminal }: Context,
  gateway: GatewayClient,
  taskId: string,
  quiet: boolean,
): Promise<TaskView> {
  const interrupted = new AbortController()
  const onInterrupt = () => interrupted.abort()
  process.once('SIGINT', onInterrupt)
  let begun: number | undefined
  /** Nothing happens until somebody answers: whoever waits for the end is told, unless it is a wait of the past. */
  async function tellWhoIsAsked(): Promise<void> {
    const { waitingFor } = await gateway.get<TaskView>(`/v1/tasks/${taskId}`)
    if (waitingFor?.kind !== 'person') return
    terminal.note(`It is waiting for ${waitingWords(waitingFor)}. Answer it: ${answerCommands(taskId, waitingFor)}`)
  }
  try {
    for await (const event of gateway.follow(taskId, 0, interrupted.signal)) {
      const at = Date.parse(event.at)
      begun ??= at
      const line = `${duration(at - begun).padStart(8)}  ${inWords(event)}`
      if (quiet || event.type === 'tokens') terminal.status(line)
      else terminal.note(line)
      if (event.type === 'task.waiting') await tellWhoIsAsked()
    }
    terminal.status('')
    return await gateway.get<TaskView>(`/v1/tasks/${taskId}`)
  } catch (error) {
    if (!interrupted.signal.aborted) throw error
    terminal.note(
      `The task goes on. See it again: ${COMMAND} tasks follow ${taskId}   end it: ${COMMAND} tasks cancel ${taskId}`,
    )
    process.exit(EXIT.interrupted)
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}

export function exitCodeOfTask({ state }: TaskView): number {
  return state === 'completed' ? EXIT.ok : EXIT.failed
}

/** One line for an event. The fields depend on its type (contract/events.ts). */
export function inWords(event: EventView): string {
  const error = event.error as { code: string; message: string } | undefined
  const failure = error === undefined ? '' : ` ${error.code}: ${error.message}`
  switch (event.type) {
    case 'task.accepted':
      return `accepted for ${event.agent}@${event.version}`
    case 'task.started':
      return `started on ${event.host}`
    case 'task.resumed':
      return `resumed on ${event.host} (${event.because})`
    case 'task.waiting':
      return `waiting for ${waitingWords(event.for as NonNullable<TaskView['waitingFor']>)}`
    case 'task.owner_lost':
      return `its host ${event.host} died; it moves on`
    case 'task.crashed':
      return `crashed, starts again in ${event.restartInMs} ms:${failure}`
    case 'state.entered':
      return `state ${stateWords(event.state)}`
    case 'step.completed':
      return `step ${stepWords(event.step)} done in ${duration(Number(event.ms))}`
    case 'step.retrying':
      return `step ${stepWords(event.step)} failed, again in ${event.inMs} ms:${failure}`
    case 'child.asked':
      return `asked ${event.agent} (${event.task})`
    case 'child.ended':
      return `${event.task} ${event.state}`
    case 'progress':
      return progressWords(event)
    case 'tokens':
      return String(event.text).replaceAll(/\s+/g, ' ')
    case 'emitted':
      return JSON.stringify(event.event)
    default: {
      const step = event.step === undefined ? undefined : stepWords(event.step)
      const what = [step, event.name, event.timer, event.reason].find((value) => typeof value === 'string')
      return `${event.type.replace('.', ' ').replaceAll('_', ' ')}${what === undefined ? '' : ` ${what}`}${failure}`
    }
  }
}

function progressWords({ fraction, message }: EventView): string {
  const share = typeof fraction === 'number' ? `${Math.round(fraction * 100)} % ` : ''
  return `… ${share}${typeof message === 'string' ? message : ''}`.trimEnd()
}

/** `person: approval (decide)`: what it is, and the messages that go on with it. */
export function waitingWords({ kind, detail, messages = [] }: NonNullable<TaskView['waitingFor']>): string {
  const what = detail === undefined ? kind : `${kind}: ${detail}`
  return messages.length === 0 ? what : `${what} (${messages.join(', ')})`
}

export function answerCommands(taskId: string, { messages = [] }: NonNullable<TaskView['waitingFor']>): string {
  const types = messages.length === 0 ? ['<type>'] : messages
  return types.map((type) => `${COMMAND} tasks message ${taskId} ${type} '{…}'`).join(' or ')
}

/** A machine's step is named by the place of its state, `0.machine.state`: the state is what a reader knows. */
function stepWords(step: unknown): string {
  return String(step).replace(/^\d+\.[^.]+\./, '')
}

/** xstate's value: a name, or names below names. */
function stateWords(state: unknown): string {
  if (typeof state === 'string') return state
  return Object.entries(state as Record<string, unknown>)
    .map(([name, below]) => `${name}.${stateWords(below)}`)
    .join(' + ')
}
