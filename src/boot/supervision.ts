// The tree as this process sees it: the root's answer, with what this process alone knows of itself filled in.
import { type ErrorRecord, fromErrorRecord, TroupeError } from '../contract/errors.ts'
import type { Facts, TreeNode } from '../supervision/index.ts'

const PATIENCE_MS = 2_000

export interface SupervisionClient {
  tree(): Promise<TreeNode>
  restart(path: string): Promise<void>
}

export function connectSupervision(url: string, own: () => Facts): SupervisionClient {
  async function ask(path: string, init: RequestInit): Promise<unknown> {
    let response: Response
    try {
      response = await fetch(url + path, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) })
    } catch (error) {
      throw new TroupeError('unavailable', 'The root supervisor does not answer.', { cause: error })
    }
    const body = await response.json()
    if (!response.ok) throw fromErrorRecord(body as ErrorRecord)
    return body
  }

  return {
    async tree() {
      const root = (await ask('/tree', {})) as TreeNode
      return withFacts(root, own())
    },
    async restart(path) {
      await ask('/restart', { method: 'POST', body: JSON.stringify({ path }) })
    },
  }
}

function withFacts(node: TreeNode, own: Facts): TreeNode {
  const children = node.children?.map((child) => withFacts(child, own))
  return {
    ...node,
    ...(node.facts?.pid === process.pid ? { facts: { ...node.facts, ...own } } : {}),
    ...(children === undefined ? {} : { children }),
  }
}
