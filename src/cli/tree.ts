// troupe tree, troupe restart: the live supervision tree.
import { setTimeout as wait } from 'node:timers/promises'
import { TroupeError } from '../contract/errors.ts'
import type { TreeNode } from '../supervision/index.ts'
import type { Context, Handler } from './context.ts'
import { duration } from './table.ts'
import { COMMAND } from './terminal.ts'

export const treeCommand: Handler = async (context) => {
  const gateway = await context.connect()
  const { tree } = await gateway.get<{ tree: TreeNode }>('/v1/supervision')
  context.show(tree, (root) => drawTree(root, context.terminal.style).join('\n'))
}

export const restartCommand: Handler = async (context, [path]) => {
  const gateway = await context.connect()
  const tree = async () => (await gateway.get<{ tree: TreeNode }>('/v1/supervision')).tree
  const before = nodeAt(await tree(), path!)
  const began = performance.now()
  const answer = await gateway.post<{ restarting: string }>(`/v1/supervision/${encodeURIComponent(path!)}/restart`)
  context.terminal.note(`restarting ${answer.restarting} …`)
  // What is typed next may need it, and the gateway itself may be what restarts.
  for (;;) {
    const now = await tree().then(
      (root) => nodeAt(root, path!),
      () => undefined,
    )
    if (now?.state === 'running' && isAnother(now, before)) break
    if (performance.now() - began > RESTART_MS) {
      throw new TroupeError(
        'unavailable',
        `${path} is not back after ${RESTART_MS / 1_000} s; see \`${COMMAND} tree\`.`,
      )
    }
    await wait(LOOK_MS)
  }
  const took = duration(performance.now() - began)
  context.show({ ...answer, ms: Math.round(performance.now() - began) }, () => `${path} runs again after ${took}`)
}

const RESTART_MS = 120_000
const LOOK_MS = 100

/** `troupe/core` and `core` name the same child. */
function nodeAt(root: TreeNode, path: string): TreeNode | undefined {
  const ids = path.split('/').filter((id) => id !== '')
  if (ids[0] === root.id) ids.shift()
  return ids.reduce<TreeNode | undefined>((node, id) => node?.children?.find((child) => child.id === id), root)
}

/** A supervisor has no process id of its own: its uptime, or its children's, begins anew. */
function isAnother(now: TreeNode, before: TreeNode | undefined): boolean {
  if (before?.facts?.pid !== undefined || now.facts?.pid !== undefined) return now.facts?.pid !== before?.facts?.pid
  if (now.uptime !== undefined && before?.uptime !== undefined) return now.uptime < before.uptime
  return (now.children ?? []).every((child) => {
    const earlier = before?.children?.find(({ id }) => id === child.id)
    return child.state === 'running' && isAnother(child, earlier)
  })
}

type Paint = Context['terminal']['style']

const STATE_COLOURS = {
  running: 'green',
  starting: 'yellow',
  waiting: 'yellow',
  stopping: 'yellow',
  stopped: 'red',
} as const

export function drawTree(root: TreeNode, paint: Paint): string[] {
  const lines: { label: string; rest: string }[] = []
  const visit = (node: TreeNode, lead: string, branch: string, below: string): void => {
    lines.push({ label: lead + branch + node.id, rest: aboutNode(node, paint) })
    const children = node.children ?? []
    children.forEach((child, index) => {
      const last = index === children.length - 1
      visit(child, lead + below, last ? '└─ ' : '├─ ', last ? '   ' : '│  ')
    })
  }
  visit(root, '', '', '')
  const width = Math.max(...lines.map(({ label }) => label.length))
  return lines.map(({ label, rest }) => `${label.padEnd(width)}  ${rest}`)
}

function aboutNode(node: TreeNode, paint: Paint): string {
  const { pid, port, url, ...others } = node.facts ?? {}
  return [
    paint(STATE_COLOURS[node.state], node.state.padEnd(8)),
    node.uptime === undefined ? undefined : `up ${duration(node.uptime)}`,
    `${node.restarts} restart${node.restarts === 1 ? '' : 's'}`,
    pid === undefined ? undefined : `pid ${pid}`,
    url ?? (port === undefined ? undefined : `port ${port}`),
    ...Object.entries(others).map(([name, value]) => `${name} ${value}`),
    node.lastError === undefined ? undefined : paint('dim', `last error: ${node.lastError.split('; it last said')[0]}`),
  ]
    .filter((part) => part !== undefined)
    .join('  ')
}
