// What a child process supervises itself shows below it in its parent's tree: the process tells its nodes over its IPC
// channel whenever they change, and is told to restart one of them. Both sides are here, so that they agree.
import type { ChildProcess } from 'node:child_process'
import { TroupeError } from '../contract/errors.ts'
import type { Clock } from './clock.ts'
import type { TreeNode } from './tree.ts'

type FromBelow = { below: TreeNode[] } | { restarted: number; error?: string }
interface FromAbove {
  restartBelow: { order: number; id: string }
}

/** A stop in good order and a start take as long as the running work; whoever waits longer has lost its child. */
const PATIENCE_MS = 120_000

export interface Below {
  /** Undefined: it has told of none. */
  nodes(path: string): TreeNode[] | undefined
  restart(id: string): Promise<void>
}

/** The parent's side, of a child with a channel. */
export function watchBelow(child: ChildProcess, clock: Clock): Below {
  let told: { nodes: TreeNode[]; at: number } | undefined
  let orders = 0
  const waiting = new Map<number, (error?: TroupeError) => void>()
  child.on('message', (message: FromBelow) => {
    if (typeof message !== 'object' || message === null) return
    if ('below' in message) told = { nodes: message.below, at: clock.now() }
    else if ('restarted' in message) {
      const { error } = message
      waiting.get(message.restarted)?.(error === undefined ? undefined : new TroupeError('unavailable', error))
    }
  })
  const gone = () => {
    told = undefined
    for (const settle of waiting.values()) settle(new TroupeError('unavailable', 'The process has ended.'))
  }
  child.once('exit', gone)
  return {
    nodes: (path) => told?.nodes.map((node) => placed(node, path, Math.max(0, clock.now() - told!.at))),
    async restart(id) {
      const order = orders++
      const { promise, resolve } = Promise.withResolvers<TroupeError | undefined>()
      const cancel = clock.setTimer(PATIENCE_MS, () => resolve(new TroupeError('unavailable', `${id} is not back.`)))
      waiting.set(order, resolve)
      const message: FromAbove = { restartBelow: { order, id } }
      child.send(message, (error) => error !== null && resolve(new TroupeError('unavailable', error.message)))
      const error = await promise
      cancel()
      waiting.delete(order)
      if (error !== undefined) throw error
    },
  }
}

/** The child's side. Returns how to tell the nodes; a process without a parent tells nobody. */
export function showBelow(restart: (id: string) => Promise<void>): (nodes: TreeNode[]) => void {
  const send = (message: FromBelow) => {
    if (process.connected) process.send?.(message, () => undefined)
  }
  if (process.send === undefined) return () => {}
  process.on('message', (message: FromAbove) => {
    const order = typeof message === 'object' && message !== null ? message.restartBelow : undefined
    if (order === undefined) return
    restart(order.id).then(
      () => send({ restarted: order.order }),
      (error: Error) => send({ restarted: order.order, error: error.message }),
    )
  })
  // Listening keeps the channel alive, and with it a process that has nothing left to do.
  process.channel?.unref()
  return (nodes) => send({ below: nodes })
}

/** In the parent's tree, so much later than it was told. */
function placed(node: TreeNode, above: string, ago: number): TreeNode {
  const path = `${above}/${node.id}`
  const now: TreeNode = { ...node, path }
  if (node.uptime !== undefined) now.uptime = node.uptime + ago
  if (node.children !== undefined) now.children = node.children.map((child) => placed(child, path, ago))
  return now
}
