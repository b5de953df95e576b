// @ts-check
// Calls of the API. A refusal is a Problem with its code; anything else that is thrown means that nobody answered.
/** @import { ProblemBody } from './views.ts' */
import { key, refused } from './session.js'

/** @typedef {{ signal?: AbortSignal, key?: string, headers?: Record<string, string> }} CallOptions */

/** What the API refused, and why. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {ProblemBody} body
   * @param {number | undefined} againInMs when it may pass
   */
  constructor(status, body, againInMs) {
    super(body.detail)
    this.status = status
    this.code = body.code
    this.fix = body.fix
    this.againInMs = againInMs
  }
}

/** Relative to the page, so that it holds behind a proxy that puts a path before. @param {string} path */
export function address(path) {
  return new URL(`..${path}`, document.baseURI).href
}

/**
 * The answer, whatever its status.
 * @param {string} method
 * @param {string} path
 * @param {CallOptions & { body?: unknown }} options
 */
export async function ask(method, path, { signal, key: other, headers, body } = {}) {
  const credential = other ?? key()
  return await fetch(address(path), {
    method,
    cache: 'no-store',
    credentials: 'omit',
    ...(signal === undefined ? {} : { signal }),
    headers: {
      ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

/**
 * The answer's JSON, or a Problem.
 * @param {string} method
 * @param {string} path
 * @param {CallOptions & { body?: unknown }} options
 * @returns {Promise<any>}
 */
export async function call(method, path, options = {}) {
  const answer = await ask(method, path, options)
  if (answer.ok) return await answer.json()
  throw await problemOf(answer)
}

/**
 * @param {string} path
 * @param {CallOptions} options
 * @returns {Promise<any>}
 */
export async function read(path, options = {}) {
  return await call('GET', path, options)
}

/**
 * The answer's JSON with its ETag, for If-Match.
 * @param {string} path
 * @param {CallOptions} options
 * @returns {Promise<{ known: any, etag: string }>}
 */
export async function readTagged(path, options = {}) {
  const answer = await ask('GET', path, options)
  if (!answer.ok) throw await problemOf(answer)
  return { known: await answer.json(), etag: answer.headers.get('etag') ?? '*' }
}

/**
 * Gives headers that make it harmless to send the same again, as after an answer that was lost: the key changes when the
 * body does.
 * @returns {(body: unknown) => Record<string, string>}
 */
export function repeatable() {
  let known = ''
  let name = ''
  return (body) => {
    const text = JSON.stringify(body)
    // Not randomUUID: over plain HTTP from another machine there is none.
    if (text !== known)
      name = [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join('-')
    known = text
    return { 'idempotency-key': name }
  }
}

/** @param {Response} answer */
export async function problemOf(answer) {
  /** @type {ProblemBody} */
  let body
  try {
    body = await answer.json()
  } catch {
    // Not from Troupe: of a proxy before it.
    const detail = `The answer was ${answer.status} ${answer.statusText}.`
    body = { code: 'unavailable', detail, fix: '', type: '' }
  }
  const seconds = Number(answer.headers.get('retry-after'))
  if (answer.status === 401) refused(`Signed out: ${body.detail}`)
  return new Problem(answer.status, body, seconds > 0 ? seconds * 1_000 : undefined)
}
