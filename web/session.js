// @ts-check
// The key that was signed in with, and who it is. It lives in this tab's session storage: another tab asks for it again,
// and closing the tab forgets it. It never goes into an address, where histories and logs would keep it.

/** @typedef {'viewer' | 'submitter' | 'operator' | 'admin'} Role */
/** @typedef {{ tenant: string, role: Role, subject: string, platform: boolean }} Self */

const KEY = 'troupe.key'
const SELF = 'troupe.self'
/** @type {Role[]} */
const ROLES = ['viewer', 'submitter', 'operator', 'admin']

/** @type {Set<() => void>} */
const listeners = new Set()
/** Why the session ended, when nobody signed out. @type {string | undefined} */
let because

export function key() {
  return sessionStorage.getItem(KEY) ?? undefined
}

/** @returns {Self | undefined} */
export function self() {
  const known = sessionStorage.getItem(SELF)
  return known === null ? undefined : JSON.parse(known)
}

export function signedIn() {
  return key() !== undefined && self() !== undefined
}

/**
 * @param {string} secret
 * @param {Self} who
 */
export function signIn(secret, who) {
  sessionStorage.setItem(KEY, secret)
  sessionStorage.setItem(SELF, JSON.stringify(who))
  because = undefined
}

export function signOut() {
  end(undefined)
}

/** The API took the key no more. @param {string} why */
export function refused(why) {
  if (signedIn()) end(why)
}

/** @param {string | undefined} why */
function end(why) {
  because = why
  sessionStorage.removeItem(KEY)
  sessionStorage.removeItem(SELF)
  for (const listener of listeners) listener()
}

export function endedBecause() {
  return because
}

/** @param {() => void} listener */
export function onSessionEnd(listener) {
  listeners.add(listener)
}

/** Each role may do what the ones before it may. @param {Role} needed */
export function mayActAs(needed) {
  const who = self()
  return who !== undefined && ROLES.indexOf(who.role) >= ROLES.indexOf(needed)
}
