// From the bytes of a request to JSON that is safe to hand on (P9). What would be changed silently or could hurt later
// is refused here: bytes that are not UTF-8 (decoding would replace them), numbers that become Infinity (and null in
// the answer), nesting that overflows the stack of whoever walks the value, keys that could reach a prototype.
// Of a key that occurs twice the last one counts, as in JSON.parse.
import { isUtf8 } from 'node:buffer'
import { TroupeError } from '../contract/errors.ts'

export const MAX_JSON_DEPTH = 200

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Only a first look, a string may match as well: three digits of exponent, or as many digits as the largest number. */
const HUGE_NUMBER = /[eE]\+?\d{3}|\d{309}/
const PROTOTYPE_KEY = /__proto__|\\u00|constructor/

export function parseJsonBody(body: Buffer): unknown {
  // No body at all: the route's schema says whether it needs one.
  if (body.length === 0) return undefined
  if (!isUtf8(body)) throw new TroupeError('invalid_request', 'The body is not UTF-8.')
  // A shorter one has no room for that many brackets.
  if (body.length > MAX_JSON_DEPTH) checkDepth(body)
  const text = body.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new TroupeError('invalid_request', `The body is not JSON: ${(error as Error).message}`)
  }
  // Most bodies contain neither, and are not walked.
  if (HUGE_NUMBER.test(text) || PROTOTYPE_KEY.test(text)) checkValues(value)
  return value
}

function checkDepth(body: Buffer): void {
  let depth = 0
  let inString = false
  for (let index = 0; index < body.length; index++) {
    const byte = body[index]
    if (inString) {
      if (byte === BACKSLASH) index++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      if (++depth > MAX_JSON_DEPTH) {
        throw new TroupeError('invalid_request', `The body is nested deeper than ${MAX_JSON_DEPTH} levels.`)
      }
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--
  }
}

function checkValues(root: unknown): void {
  const waiting: unknown[] = [root]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new TroupeError('invalid_request', 'The body holds a number that is too large for a double.')
    }
    if (typeof value !== 'object' || value === null) continue
    if (Object.hasOwn(value, '__proto__') || reachesPrototype(value)) {
      throw new TroupeError('invalid_request', 'The body holds a key that could change an object’s prototype.')
    }
    // Not spread into push: an array of a million would not fit on the stack.
    for (const inner of Object.values(value)) waiting.push(inner)
  }
}

function reachesPrototype(value: object): boolean {
  if (!Object.hasOwn(value, 'constructor')) return false
  const inner: unknown = value.constructor
  return typeof inner === 'object' && inner !== null && Object.hasOwn(inner, 'prototype')
}
