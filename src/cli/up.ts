// troupe up, troupe run: this process becomes the root supervisor, or one role.
import { join } from 'node:path'
import { createNarrator, type Narrator } from '../boot/narrate.ts'
import { readSettings } from '../boot/settings.ts'
import { type RunningTroupe, startTroupe } from '../boot/up.ts'
import { TroupeError } from '../contract/errors.ts'
import { processChild } from '../supervision/index.ts'
import type { Handler } from './context.ts'
import { COMMAND, hasColour, outliveReaders } from './terminal.ts'

export interface UpOptions {
  host?: string
  port?: string
  samples?: boolean
  nats?: string
  postgres?: string
  redis?: string
  hosts?: string
}

export const upCommand: Handler<UpOptions> = async ({ globals }, _, options) => {
  const settings = readSettings({
    ...process.env,
    ...(options.host === undefined ? {} : { TROUPE_HOST: options.host }),
    ...(options.port === undefined ? {} : { TROUPE_PORT: options.port }),
    ...(globals.data === undefined ? {} : { TROUPE_DATA: globals.data }),
    ...(options.nats === undefined ? {} : { TROUPE_NATS_URL: options.nats }),
    ...(options.postgres === undefined ? {} : { TROUPE_POSTGRES_URL: options.postgres }),
    ...(options.redis === undefined ? {} : { TROUPE_REDIS_URL: options.redis }),
    ...(options.hosts === undefined ? {} : { TROUPE_HOSTS: options.hosts }),
  })
  outliveReaders()
  const narrator = createNarrator((text) => process.stderr.write(text), hasColour(process.stderr))
  narrator.say(`starting in ${settings.dataFolder} …`)
  const begun = performance.now()
  const running = await startTroupe(settings, narrator)
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1)
  // Before it is said that it runs: whoever reads that may stop it at once.
  const ended = untilEnded(running, narrator, settings.graceMs)
  if (globals.json) process.stdout.write(`${JSON.stringify({ url: running.url, dataFolder: running.dataFolder })}\n`)
  else process.stdout.write(greeting(running, seconds, settings.gateway.console ?? true))
  if (options.samples) await startSamples(running)
  await ended
}

function greeting({ url, dataFolder }: RunningTroupe, seconds: string, hasConsole: boolean): string {
  return [
    '',
    `  Troupe serves at ${url}   (ready in ${seconds} s; Ctrl-C stops it)`,
    '',
    ...(hasConsole ? [`  console   ${url}/console/   sign in with the key`] : []),
    `  API       ${url}/docs`,
    `  key       cat ${join(dataFolder, 'admin.key')}   the command line on this machine uses it by itself`,
    `  look      ${COMMAND} tree · ${COMMAND} agents ls · ${COMMAND} doctor`,
    `  work      ${COMMAND} submit <agent> @input.json --follow`,
    '',
    '',
  ].join('\n')
}

/** A terminal's Ctrl-C reaches this process twice when npm passes its own on: that is one order. */
const ECHO_MS = 250

/** Ends with the supervisor: told to stop, or because it gave up. */
async function untilEnded({ supervisor, stop, broken }: RunningTroupe, narrator: Narrator, graceMs: number) {
  let askedAt: number | undefined
  const onSignal = () => {
    const now = performance.now()
    if (askedAt === undefined) {
      askedAt = now
      narrator.say(`stopping: running tasks get up to ${graceMs / 1_000} s to end; Ctrl-C again stops at once`)
      void stop('shutdown')
    } else if (now - askedAt > ECHO_MS) {
      // Whoever asks twice does not want to wait.
      narrator.say('stopping at once')
      void stop('kill')
    }
  }
  // SIGHUP: its terminal was closed.
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, onSignal)
  const outcome = await supervisor.exited
  for (const signal of signals) process.off(signal, onSignal)
  if (askedAt !== undefined) {
    const seconds = ((performance.now() - askedAt) / 1_000).toFixed(1)
    narrator.say(`stopped after ${seconds} s; what has not ended goes on at the next start`)
  }
  const why = broken()
  if (why !== undefined) throw why
  if (outcome.kind === 'crashed') throw outcome.error
}

/** In a process of their own: the root does nothing but supervise. */
async function startSamples({ supervisor, environment }: RunningTroupe): Promise<void> {
  const samples = processChild({
    id: 'samples',
    restart: 'temporary',
    ready: 'spawn',
    args: [join(import.meta.dirname, 'troupe.ts'), 'samples'],
    // Its output passes through this process, which knows whether a person reads it.
    env: { ...environment, ...(hasColour(process.stdout) ? { FORCE_COLOR: '1' } : {}) },
    output: ({ stream, text }) => process[stream].write(`${text}\n`),
  })
  await supervisor.startChild(samples)
}

const ROLES = ['core', 'host', 'gateway', 'inference', 'retrieval'] as const

export const runCommand: Handler = async (_, [role]) => {
  const known = ROLES.find((name) => name === role)
  if (known === undefined) {
    throw new TroupeError('invalid_command', `There is no role ${role}; the roles are ${ROLES.join(', ')}.`)
  }
  outliveReaders()
  await import(`../boot/${known}.ts`)
}
