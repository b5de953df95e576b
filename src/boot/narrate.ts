// What the root shows of its children: each line of theirs behind their name, and what supervision decided, in words.
import { styleText } from 'node:util'
import type { OutputLine, SupervisionEvent } from '../supervision/index.ts'

export interface Narrator {
  line(line: OutputLine): void
  event(event: SupervisionEvent): void
  say(text: string): void
}

const ENDS = {
  normal: 'has finished',
  shutdown: 'has stopped',
  drained: 'was told to stop, and gave its work back',
  lease_lost: 'lost its lease',
}
const COLOURS = ['cyan', 'magenta', 'green', 'yellow', 'blue'] as const
const LEVELS: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }
const WIDTH = 9

export function createNarrator(write: (text: string) => void, colour: boolean): Narrator {
  const colours = new Map<string, (typeof COLOURS)[number]>()

  function labelled(name: string, text: string): void {
    const label = `${name.padEnd(WIDTH)} │`
    if (!colours.has(name)) colours.set(name, COLOURS[colours.size % COLOURS.length]!)
    write(`${colour ? styleText(colours.get(name)!, label, { validateStream: false }) : label} ${text}\n`)
  }

  return {
    line: ({ child, text }) => labelled(child, readable(text)),
    event(event) {
      const words = inWords(event)
      if (words !== undefined) labelled('troupe', words)
    },
    say: (text) => labelled('troupe', text),
  }
}

/** A line of JSON from a logger becomes a sentence; every other line stays as it is. */
export function readable(text: string): string {
  if (!text.startsWith('{"level":')) return text
  try {
    const { level, time: _, pid: __, hostname: ___, name: ____, msg, err, ...fields } = JSON.parse(text)
    const facts = Object.entries(fields).map(([key, value]) => `${key}=${show(value)}`)
    const cause = typeof err?.message === 'string' && err.message !== msg ? [`(${err.message})`] : []
    return [LEVELS[level] ?? level, msg, ...cause, ...facts].join(' ')
  } catch {
    return text
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** Only what a person should know; the rest is in the tree. */
function inWords(event: SupervisionEvent): string | undefined {
  const who = event.path.slice(event.path.indexOf('/') + 1)
  switch (event.type) {
    case 'child_crashed':
      return `${firstSentence(event.error)}; starting it again`
    case 'child_ended':
      return `${who} ${ENDS[event.outcome.kind]}`
    case 'child_start_failed':
      return `${who} did not start: ${firstSentence(event.error)}`
    case 'child_started':
      return event.restarts === 0 ? undefined : `${who} serves again`
    case 'child_stopped':
      return event.forced ? `${who} did not stop in time and was killed` : undefined
    case 'child_abandoned':
      return `${who} could not even be killed, and may still run`
    case 'supervisor_gave_up':
      return `gave up: ${event.child} was restarted more than ${event.intensity} times in ${event.period / 1_000} s`
    default:
      return undefined
  }
}

/** What the process last said stands in the lines above already. */
function firstSentence(error: Error): string {
  return error.message.split('; it last said:')[0]!
}
