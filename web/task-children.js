// @ts-check
// What a task asked others for, as a tree.
/** @import { TaskView } from './views.ts' */
/** @import { Member } from './family.js' */
import { read } from './api.js'
import { element, replace } from './dom.js'
import { familyOf } from './family.js'
import { problemBox, section, stateMark, taskLink } from './parts.js'
import { took } from './words.js'

const MOST = 100

/**
 * @param {HTMLElement} place
 * @param {TaskView} task
 * @param {AbortSignal} signal
 */
export async function taskChildren(place, task, signal) {
  const list = (/** @type {string} */ parent, /** @type {number} */ limit) =>
    read(`/v1/tasks?parent=${encodeURIComponent(parent)}&limit=${limit}`, { signal })
  try {
    const family = await familyOf(task.id, list, MOST)
    if (signal.aborted) return
    const isAlone = family.children.length === 0
    replace(place, isAlone ? undefined : section('Asked for', branch(family, task.id)))
  } catch (error) {
    if (!signal.aborted) replace(place, section('Asked for', problemBox(error)))
  }
}

/** @param {{ children: Member[], more: boolean }} family @param {string} parent @returns {HTMLElement} */
function branch({ children, more }, parent) {
  const now = Date.now()
  return element(
    'ul',
    { class: 'family' },
    ...children.map((member) =>
      element(
        'li',
        {},
        element(
          'div',
          {},
          stateMark(member.task.state),
          taskLink(member.task.id, member.task.agent),
          element('span', { class: 'took' }, took(member.task, now)),
        ),
        (member.children.length > 0 || member.more) && branch(member, member.task.id),
      ),
    ),
    more && element('li', {}, element('a', { href: `#/tasks?parent=${encodeURIComponent(parent)}` }, 'all of them')),
  )
}
