// @ts-check
// The console: what an operator opens first. Browsers load these files as they are; they talk to the public API with the
// key that was signed in with, so what a role or a tenant may not see cannot be shown here.
//   console.js        this file: the frame around every page, and which page the address names
//   session.js        the key, and who it is
//   sign-in.js        the page that asks for it
//   api.js            calls of the API, and its refusals
//   views.ts          the shapes of its answers, for the type-checker
//   follow.js         a task's log as it grows, taken up where it broke off
//   server-sent.js    what a stream of server-sent events says
//   fresh.js          reading again while somebody looks
//   dom.js            elements; all text goes in as text
//   parts.js          what several pages show: states, problems, commands, a question before an act
//   value.js          a JSON value, folded
//   words.js          durations, sums and events in words
//   task-list.js      tasks, newest first        task.js           one task
//   task-log.js       its events                 task-acts.js      cancel, retry, answer
//   task-trace.js     where its time went        waterfall.js      how the bars lie
//   task-children.js  what it asked others for   family.js         children as a tree
//   fields.js         which form a JSON Schema makes
//   schema-form.js    that form, or JSON         agents.js         what can be asked to work
//   system.js         the supervision tree and what was used
import { agentPage, agentsPage } from './agents.js'
import { address } from './api.js'
import { element, replace } from './dom.js'
import { onConnection } from './fresh.js'
import { onSessionEnd, self, signedIn, signOut } from './session.js'
import { signInPage } from './sign-in.js'
import { systemPage } from './system.js'
import { taskPage } from './task.js'
import { tasksPage } from './task-list.js'

/** @typedef {{ place: HTMLElement, path: string[], query: URLSearchParams, signal: AbortSignal }} Visit */

/** @type {{ name: string, words: string, open: (visit: Visit) => void }[]} */
const PAGES = [
  { name: 'tasks', words: 'Tasks', open: (visit) => (visit.path.length > 1 ? taskPage(visit) : tasksPage(visit)) },
  { name: 'agents', words: 'Agents', open: (visit) => (visit.path.length > 1 ? agentPage(visit) : agentsPage(visit)) },
  { name: 'system', words: 'System', open: systemPage },
]

const frame = /** @type {HTMLElement} */ (document.getElementById('frame'))
const place = /** @type {HTMLElement} */ (document.getElementById('page'))
/** Of the page that is shown: aborted when another takes its place, and with it all that the page had under way. */
let leaving = new AbortController()

function show() {
  leaving.abort()
  leaving = new AbortController()
  const [, where = '', search = ''] = /^#\/?([^?]*)\??(.*)$/.exec(location.hash) ?? []
  const path = where.split('/').filter((part) => part !== '')
  const page = PAGES.find(({ name }) => name === path[0]) ?? PAGES[0]
  drawFrame(page?.name)
  replace(place)
  const visit = {
    place,
    path: path.map(decoded),
    query: new URLSearchParams(search),
    signal: leaving.signal,
  }
  if (!signedIn()) {
    document.title = 'Sign in · Troupe'
    signInPage(visit, show)
    return
  }
  document.title = [...path.slice(1), page?.words, 'Troupe'].join(' · ')
  page?.open(visit)
}

/** An address that somebody cut or mistyped names nothing, which its page then says. @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** @param {string | undefined} current */
function drawFrame(current) {
  const mark = element('a', { class: 'mark', href: '#/tasks' }, 'Troupe')
  const who = self()
  if (who === undefined) return replace(frame, mark)
  const links = PAGES.map(({ name, words }) =>
    element('a', { href: `#/${name}`, ...(name === current ? { 'aria-current': 'page' } : {}) }, words),
  )
  const connection = element('span', { class: 'connection', role: 'status' })
  onConnection((trouble) => {
    connection.textContent = trouble === undefined ? '' : 'no answer, asking again'
    connection.title = trouble ?? ''
  }, leaving.signal)
  replace(
    frame,
    element('button', { class: 'skip', onclick: () => place.focus() }, 'Skip to the page'),
    mark,
    element('nav', { 'aria-label': 'Pages' }, ...links, element('a', { href: address('/docs') }, 'API')),
    connection,
    element('span', { class: 'who', title: who.subject }, `${who.tenant} · ${who.role}`),
    element('button', { class: 'quiet', onclick: signOut }, 'Sign out'),
  )
}

window.addEventListener('hashchange', () => {
  show()
  // As after loading a page: readers of screens begin at its top.
  place.focus({ preventScroll: true })
  window.scrollTo(0, 0)
})
onSessionEnd(show)
show()
