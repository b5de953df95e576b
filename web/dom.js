// @ts-check
// Elements. Text only ever becomes text: nothing here, and nothing that uses it, makes markup of a string.

/** @typedef {Node | string | number | undefined | false} Child */
/** @typedef {Record<string, string | number | boolean | undefined | ((event: any) => void)>} Attributes */

/**
 * `onclick: …` listens; `true` is an attribute without a value; what is undefined or false is left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    if (typeof value === 'function') made.addEventListener(name.slice(2), value)
    else made.setAttribute(name, value === true ? '' : String(value))
  }
  made.append(...shown(children))
  return made
}

/**
 * @param {Element} parent
 * @param {...Child} children
 */
export function replace(parent, ...children) {
  const focused = focusIn(parent)
  parent.replaceChildren(...shown(children))
  refocus(parent, focused)
}

/** @typedef {{ key: string, same: string, draw: () => HTMLElement, touch?: (row: HTMLElement) => void }} Keyed */
/** What was drawn of a row. @type {WeakMap<Element, Keyed>} */
const drawn = new WeakMap()

/**
 * For what is drawn again every second: a row whose `same` is the same stays, with the reader's selection in it; `touch`
 * writes what changes with time alone.
 * @param {Element} parent
 * @param {Keyed[]} rows
 */
export function redraw(parent, rows) {
  const focused = focusIn(parent)
  const known = new Map(
    [...parent.children].map((child) => [drawn.get(child)?.key, /** @type {HTMLElement} */ (child)]),
  )
  const elements = rows.map((row) => {
    const before = known.get(row.key)
    const stays = before !== undefined && drawn.get(before)?.same === row.same
    const made = stays ? before : row.draw()
    drawn.set(made, row)
    row.touch?.(made)
    return made
  })
  const isSame =
    elements.length === parent.childElementCount && elements.every((one, at) => one === parent.children[at])
  if (!isSame) parent.replaceChildren(...elements)
  refocus(parent, focused)
}

/** @param {Element} parent */
function focusIn(parent) {
  const focused = document.activeElement
  return focused !== null && focused !== parent && parent.contains(focused) ? focused : undefined
}

/** Whoever stood on something that was drawn anew, as it was, stands on it still. @param {Element} parent @param {Element | undefined} focused */
function refocus(parent, focused) {
  if (focused === undefined || document.activeElement === focused) return
  const again = [...parent.querySelectorAll(focused.tagName)].find((one) => one === focused || one.isEqualNode(focused))
  if (again instanceof HTMLElement) again.focus({ preventScroll: true })
}

/**
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
function shown(children) {
  return children
    .filter((child) => child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)))
}

/**
 * A position in percent. Not as an attribute: the page's policy allows no inline styles.
 * @param {HTMLElement} bar
 * @param {Record<string, string>} properties
 */
export function styled(bar, properties) {
  for (const [name, value] of Object.entries(properties)) bar.style.setProperty(name, value)
  return bar
}
