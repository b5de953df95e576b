// The supervision tree in numbers: how often each child was started again, and whether it runs.
import type { TreeNode } from '../supervision/index.ts'
import type { Measures } from './measures.ts'

export function measureTree({ metrics, atScrape }: Measures, tree: () => Promise<TreeNode>): void {
  const restarts = metrics.gauge(
    'troupe_supervisor_child_restarts',
    'Restarts of a child in the life of its supervisor',
  )
  const running = metrics.gauge('troupe_supervisor_child_running', '1 while a child of the tree runs')

  function tell(node: TreeNode): void {
    restarts({ child: node.path }, node.restarts)
    running({ child: node.path }, node.state === 'running' ? 1 : 0)
    for (const child of node.children ?? []) tell(child)
  }

  atScrape(async () => tell(await tree()))
}
