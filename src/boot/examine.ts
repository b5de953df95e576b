// Learns what a package's agents are without trusting its code: it runs in a guarded process, as it would in earnest, and
// answers two questions. The process ends with the examination.
import { spawn } from 'node:child_process'
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'
import { createPeer, launchOf } from '../isolation/index.ts'
import { type AgentPackage, type AgentRecord, agentRecords, NO_PERMISSIONS } from '../plugins/index.ts'
import { environmentOf, PLUGIN_ENTRY, wireOf } from './plugin-orders.ts'
import type { OpenTask } from './would-break.ts'

export interface Examination {
  agents: AgentRecord[]
  /** Why the task would not go on with this package; undefined: it would. */
  wouldBreak(task: OpenTask): Promise<string | undefined>
}

const PATIENCE_MS = 30_000
const MAX_WORDS = 4_000
const answers = z.string().max(10_000).nullish()

export async function examineIsolated<Result>(
  found: AgentPackage,
  use: (examination: Examination) => Promise<Result>,
): Promise<Result> {
  const { command, args } = launchOf(PLUGIN_ENTRY, found.folder, found.permissions ?? NO_PERMISSIONS)
  const child = spawn(command, args, {
    cwd: found.folder,
    env: environmentOf({ package: found, askable: [], llm: false, graceMs: 0, examine: true }),
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < MAX_WORDS) said += text
  })
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {})
  const refuse = (why: string) => {
    const words = said.trim().split('\n').slice(0, 6).join(' ')
    failed.reject(new TroupeError('plugin_invalid', `${found.name} ${why}${words === '' ? '' : `: ${words}`}.`))
  }
  // After its last words: `exit` may come before they are read.
  child.once('close', () => refuse('ended while it was loaded'))
  child.once('error', (error) => refuse(`cannot be run: ${error.message}`))
  const peer = createPeer(wireOf(child, refuse), {})

  async function ask<Answer>(schema: z.ZodType<Answer>, verb: string, ...given: unknown[]): Promise<Answer> {
    const timer = setTimeout(() => refuse(`did not answer within ${PATIENCE_MS} ms`), PATIENCE_MS)
    try {
      const answer = schema.safeParse(await Promise.race([peer.call(verb, ...given).catch(unloadable), failed.promise]))
      if (answer.success) return answer.data
      throw new TroupeError('plugin_invalid', `${found.name} answers wrongly: ${z.prettifyError(answer.error)}`)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Its own words, and no more of it: a package may answer with any error. */
  function unloadable({ message }: Error): never {
    throw new TroupeError('plugin_invalid', `${found.name} cannot be loaded. ${message.slice(0, MAX_WORDS)}`)
  }

  try {
    const agents = (await ask(agentRecords, 'describe')) as AgentRecord[]
    return await use({
      agents,
      wouldBreak: async (task) => (await ask(answers, 'wouldBreak', task)) ?? undefined,
    })
  } finally {
    child.removeAllListeners('close')
    child.kill('SIGKILL')
  }
}
