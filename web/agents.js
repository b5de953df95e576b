// @ts-check
// What can be asked to work: all agents, and one of them with its schemas and a form to give it a task.
/** @import { AgentView } from './views.ts' */
/** @import { Visit } from './console.js' */
import { call, read, repeatable } from './api.js'
import { element, replace } from './dom.js'
import { commandLine, problemBox, section, stateMark } from './parts.js'
import { schemaForm } from './schema-form.js'
import { mayActAs } from './session.js'
import { shownValue } from './value.js'
import { count } from './words.js'

/** @param {Visit} visit */
export async function agentsPage({ place, signal }) {
  const list = element('div', {}, element('p', { class: 'note' }, 'Reading …'))
  replace(place, element('h1', {}, 'Agents'), list)
  try {
    /** @type {{ agents: AgentView[] }} */
    const { agents } = await read('/v1/agents', { signal })
    replace(list, agents.length === 0 ? nothing() : element('ul', { class: 'cards' }, ...agents.map(card)))
  } catch (error) {
    if (!signal.aborted) replace(list, problemBox(error))
  }
}

/** @param {AgentView} agent */
function card({ name, version, description }) {
  const address = `#/agents/${name}?version=${encodeURIComponent(version)}`
  return element(
    'li',
    {},
    element('h2', {}, element('a', { href: address }, name), ' ', element('span', { class: 'version' }, version)),
    element('p', {}, description),
    element('a', { href: `#/tasks?agent=${name}` }, 'its tasks'),
  )
}

function nothing() {
  return element(
    'div',
    { class: 'empty' },
    element('p', {}, 'No agent is loaded. Make one and add it:'),
    commandLine('npx troupe plugin new ../my-agent && npx troupe plugin add ../my-agent'),
  )
}

/** @param {Visit} visit */
export async function agentPage({ place, path, query, signal }) {
  const name = /** @type {string} */ (path[1])
  const version = query.get('version')
  replace(place, element('h1', {}, name), element('p', { class: 'note' }, 'Reading …'))
  try {
    const suffix = version === null ? '' : `?version=${encodeURIComponent(version)}`
    /** @type {AgentView} */
    const agent = await read(`/v1/agents/${encodeURIComponent(name)}${suffix}`, { signal })
    replace(place, ...drawn(agent, signal))
  } catch (error) {
    if (!signal.aborted)
      replace(place, element('h1', {}, name), problemBox(error), element('a', { href: '#/agents' }, 'All agents'))
  }
}

/** @param {AgentView} agent @param {AbortSignal} signal */
function drawn({ name, version, description, inputSchema, outputSchema, messages, health }, signal) {
  return [
    element('p', { class: 'path' }, element('a', { href: '#/agents' }, 'Agents'), ' / ', name),
    element('h1', {}, name, ' ', element('span', { class: 'version' }, version)),
    element('p', {}, description),
    element('p', {}, element('a', { href: `#/tasks?agent=${name}` }, 'Its tasks'), ...healthOf(name, health)),
    mayActAs('submitter')
      ? section('Give it a task', ...submission(name, version, inputSchema, signal))
      : section('Give it a task', element('p', { class: 'note' }, 'This needs a key with the role submitter.')),
    section('Input', shownValue(inputSchema)),
    section('Output', shownValue(outputSchema)),
    messages === undefined ? '' : section('Messages', shownValue(messages)),
  ]
}

/** @param {string} name @param {AgentView['health']} health */
function healthOf(name, health) {
  if (health === undefined) return []
  const counts = Object.entries(health.tasks).flatMap(([state, tasks]) => [
    ' ',
    element(
      'a',
      { class: 'count', href: `#/tasks?agent=${name}&state=${state}` },
      stateMark(state),
      ` ${count(tasks)}`,
    ),
  ])
  const rests =
    health.restsOn.length > 0 &&
    element('span', { class: 'bad-word' }, ` rests on ${health.restsOn.join(', ')}: its tasks crashed again and again`)
  return [...counts, rests]
}

/**
 * @param {string} agent
 * @param {string} agentVersion
 * @param {AgentView['inputSchema']} schema
 * @param {AbortSignal} signal
 */
function submission(agent, agentVersion, schema, signal) {
  const labels = element('input', { id: 'labels', type: 'text', placeholder: 'customer:4711, run:2026-11' })
  const headersFor = repeatable()
  const form = schemaForm({
    schema,
    asJson: true,
    submit: 'Submit',
    signal,
    async onSubmit(input) {
      const found = labelsIn(labels.value)
      const body = { agent, agentVersion, input, ...(found === undefined ? {} : { labels: found }) }
      const { id } = await call('POST', '/v1/tasks', { body, headers: headersFor(body), signal })
      location.hash = `#/tasks/${id}`
    },
  })
  form.firstElementChild?.after(
    element('div', { class: 'field' }, element('label', { for: 'labels' }, 'Labels'), labels),
  )
  return [
    form,
    element('p', { class: 'note' }, 'The same from a shell:'),
    commandLine(`npx troupe submit ${agent} @input.json --follow`),
  ]
}

/** @param {string} text */
function labelsIn(text) {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  if (parts.length === 0) return undefined
  return Object.fromEntries(parts.map((part) => [part.split(':', 1)[0], part.split(':').slice(1).join(':')]))
}
