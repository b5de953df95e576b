// Which version of an agent may run a task. A task in flight keeps the version it started with; another one may take
// it over only if it declares `migrate`. Otherwise the task waits, visibly, for a host that has its version.
import { z } from 'zod'
import { migrationFault } from '../actor/migrated.ts'
import type { ActorState } from '../actor/state.ts'
import { TroupeError } from '../contract/errors.ts'
import type { TaskRow } from '../journal/journal.ts'
import type { AgentRegistry } from '../plugins/registry.ts'
import { type Agent, defineAgent } from '../sdk/define-agent.ts'

export type Fit = { agent: Agent; snapshot?: ActorState; reason?: undefined } | { agent?: undefined; reason: string }

/** What of a task says which version it needs. */
type Started = Pick<TaskRow, 'agent' | 'agentVersion' | 'snapshot'>

export function fitVersion(agents: AgentRegistry, task: Started): Fit {
  const state = task.snapshot as ActorState | undefined
  // Migrated once, it is the newer version's: a second time would change what has been changed.
  const version = state?.version ?? task.agentVersion
  const exact = agents.agent(task.agent, version)
  if (exact !== undefined) return { agent: exact }
  const newest = agents.agent(task.agent)
  const wanted = `${task.agent}@${version}`
  if (newest === undefined) return { reason: `No host here has ${wanted}.` }
  if (state === undefined) return { agent: newest }
  if (newest.migrate === undefined || state.machine === undefined) {
    return { reason: `Its state is of ${wanted}; this host has ${newest.version}, which declares no migrate.` }
  }
  try {
    const { value, context } = newest.migrate({ version, value: state.machine.value, context: state.machine.context })
    const snapshot: ActorState = { ...state, version: newest.version, machine: { value, context } }
    const fault = migrationFault(newest, snapshot)
    return fault === undefined ? { agent: newest, snapshot } : { reason: fault }
  } catch (error) {
    const what = `${newest.name}@${newest.version} cannot migrate it from ${version}`
    return { reason: `${what}: ${(error as Error).message}` }
  }
}

/** For a task that is told to stop: any agent will do, even one that only stands for the missing one. */
export function anyAgent(agents: AgentRegistry, task: TaskRow): Fit {
  return { agent: agents.agent(task.agent, task.agentVersion) ?? agents.agent(task.agent) ?? absent(task) }
}

function absent({ agent: name, agentVersion: version }: TaskRow): Agent {
  return {
    ...defineAgent({
      name: 'absent',
      version: '0.0.0',
      description: 'Stands for an agent that no host here has',
      input: z.unknown(),
      output: z.unknown(),
      run: () => {
        throw new TroupeError('unknown_agent', `No host here has ${name}@${version}.`)
      },
    }),
    name,
    version,
  }
}
