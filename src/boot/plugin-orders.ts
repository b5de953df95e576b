// What the process of an isolated plug-in is told when it is started, and the pipe over which it then speaks.
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { type Channel, wireOver } from '../isolation/index.ts'
import type { AgentPackage, AgentRecord } from '../plugins/index.ts'

export interface PluginOrders {
  package: AgentPackage
  /** Agents of others that its tasks may ask. */
  askable: AgentRecord[]
  /** Is there a model that its steps could ask? */
  llm: boolean
  /** Only answer what there is to know of its agents; work on nothing. */
  examine: boolean
  graceMs: number
}

export const PLUGIN_ENTRY = join(import.meta.dirname, 'plugin.ts')

export function environmentOf(orders: PluginOrders): Record<string, string> {
  // Nothing of our own environment: that is where credentials are.
  return {
    PATH: '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    NODE_NO_WARNINGS: '1',
    TROUPE_PLUGIN: JSON.stringify(orders),
  }
}

export function wireOf(child: ChildProcess, onBroken: (why: string) => void): Channel {
  return wireOver(child.stdio[3] as Duplex, onBroken)
}
