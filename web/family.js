// @ts-check
// Children as a tree: of a task, of those that it asked for, and of theirs.
/** @import { TaskView } from './views.ts' */

/** @typedef {{ task: TaskView, children: Member[], more: boolean }} Member `more`: there are others that were not read */

/**
 * Reads at most `most` tasks, those nearest to the root first: a task that asked for a thousand others must not be a
 * thousand requests.
 * @param {string} root
 * @param {(parent: string, limit: number) => Promise<{ tasks: TaskView[], nextCursor?: string }>} list
 * @param {number} most
 * @returns {Promise<{ children: Member[], more: boolean }>}
 */
export async function familyOf(root, list, most) {
  /** @type {{ children: Member[], more: boolean }} */
  const top = { children: [], more: false }
  /** @type {{ id: string, into: { children: Member[], more: boolean } }[]} */
  const waiting = [{ id: root, into: top }]
  let room = most
  for (const { id, into } of waiting) {
    if (room <= 0) {
      into.more = true
      continue
    }
    const { tasks, nextCursor } = await list(id, room)
    room -= tasks.length
    into.more = nextCursor !== undefined
    // Lists are newest first; a story is told from its beginning.
    for (const task of tasks.reverse()) {
      const member = { task, children: [], more: false }
      into.children.push(member)
      waiting.push({ id: task.id, into: member })
    }
  }
  return top
}
