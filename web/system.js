// @ts-check
// The supervision tree as it is now, and what the tenant used.
/** @import { Visit } from './console.js' */
/** @import { TreeNode, UsageView } from './views.ts' */
import { call, read } from './api.js'
import { element, redraw, replace, styled } from './dom.js'
import { keepFresh } from './fresh.js'
import { confirmed, emptyTable, problemBox, section, stateMark } from './parts.js'
import { mayActAs, self } from './session.js'
import { cost, count, duration } from './words.js'

const TREE_MS = 1_000
const USAGE_MS = 10_000

/** @param {Visit} visit */
export function systemPage({ place, signal }) {
  const tree = element('div', {}, element('p', { class: 'note' }, 'Reading …'))
  const table = emptyTable('tree', ['Child', 'State', 'Up', 'Restarts', 'Facts', ''])
  const trouble = element('div', {})
  const usage = element('div', {})
  replace(
    place,
    element('h1', {}, 'System'),
    section('Supervision tree', trouble, tree),
    section('Used by this tenant', usage),
  )

  keepFresh({
    ms: USAGE_MS,
    signal,
    work: async () => replace(usage, used(await read('/v1/usage', { signal }))),
    onRefusal: (problem) => replace(usage, problemBox(problem)),
  })
  if (!(mayActAs('operator') && self()?.platform)) {
    replace(
      tree,
      element(
        'p',
        { class: 'note' },
        'The tree belongs to the platform: a key of its own tenant with the role operator sees it.',
      ),
    )
    return
  }
  keepFresh({
    ms: TREE_MS,
    signal,
    work: async () => {
      const answer = await read('/v1/supervision', { signal })
      if (!table.whole.isConnected) replace(tree, table.whole)
      redraw(table.body, rowsOf(answer.tree, 0, restart))
    },
    onRefusal: (problem) => replace(tree, problemBox(problem)),
  })

  /** @param {TreeNode} node */
  async function restart(node) {
    const question = `Restart ${node.path} in good order? What it works on goes on afterwards.`
    if ((await confirmed({ question, act: 'Restart', signal })) === undefined) return
    replace(trouble)
    try {
      await call('POST', `/v1/supervision/${encodeURIComponent(node.path)}/restart`, { signal })
    } catch (error) {
      if (!signal.aborted) replace(trouble, problemBox(error))
    }
  }
}

/**
 * @param {TreeNode} node
 * @param {number} depth
 * @param {(node: TreeNode) => void} restart
 * @returns {import('./dom.js').Keyed[]}
 */
function rowsOf(node, depth, restart) {
  const { uptime, children = [], ...rest } = node
  const own = {
    key: node.path,
    same: JSON.stringify(rest),
    draw: () => drawn(node, depth, restart),
    touch(/** @type {HTMLElement} */ shown) {
      for (const cell of shown.querySelectorAll('.is-up'))
        cell.textContent = uptime === undefined ? '' : duration(uptime)
    },
  }
  return [own, ...children.flatMap((child) => rowsOf(child, depth + 1, restart))]
}

/** @param {TreeNode} node @param {number} depth @param {(node: TreeNode) => void} restart */
function drawn(node, depth, restart) {
  const facts = Object.entries(node.facts ?? {}).map(([name, value]) => `${name} ${value}`)
  const label = `Restart ${node.path}`
  return element(
    'tr',
    {},
    styled(element('th', { scope: 'row' }, node.id), { '--depth': String(depth) }),
    element('td', {}, stateMark(node.state)),
    element('td', { class: 'is-up' }),
    element('td', { class: `is-restarts ${node.restarts > 0 ? 'bad-word' : ''}` }, node.restarts),
    element(
      'td',
      { class: 'is-facts' },
      facts.join(' · '),
      node.lastError !== undefined && element('div', { class: 'bad-word' }, node.lastError),
    ),
    element(
      'td',
      {},
      // The root restarts nobody but its children.
      depth > 0 && element('button', { class: 'quiet', onclick: () => restart(node), 'aria-label': label }, 'Restart'),
    ),
  )
}

/** @param {UsageView} answer */
function used({ since, usage, quota }) {
  const { tasks, inputTokens, outputTokens, costMicros } = usage
  const { tasksPerDay, tokensPerMonth, costMicrosPerMonth } = quota
  /** @type {[string, string][]} */
  const facts = [
    ['Since', since.slice(0, 10)],
    ['Tasks', `${count(tasks)}${tasksPerDay === undefined ? '' : `, at most ${count(tasksPerDay)} a day`}`],
    [
      'Tokens',
      `${count(inputTokens)} in, ${count(outputTokens)} out${tokensPerMonth === undefined ? '' : `, at most ${count(tokensPerMonth)} a month`}`,
    ],
    [
      'Cost',
      `${cost(costMicros)}${costMicrosPerMonth === undefined ? '' : `, at most ${cost(costMicrosPerMonth)} a month`}`,
    ],
  ]
  return element(
    'dl',
    { class: 'facts' },
    ...facts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  )
}
