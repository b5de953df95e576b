// troupe tree, troupe restart: the live supervision tree.
import type { TreeNode } from '../supervision/index.ts'
import type { Context, Handler } from './context.ts'
import { duration } from './table.ts'

export const treeCommand: Handler = async (context) => {
  const gateway = await context.connect()
  const { tree } = await gateway.get<{ tree: TreeNode }>('/v1/supervision')
  context.show(tree, (root) => drawTree(root, context.terminal.style).join('\n'))
}

export const restartCommand: Handler = async (context, [path]) => {
  const gateway = await context.connect()
  const answer = await gateway.post<{ restarting: string }>(`/v1/supervision/${encodeURIComponent(path!)}/restart`)
  context.show(answer, ({ restarting }) => `restarting ${restarting}`)
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
