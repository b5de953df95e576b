// Where a callback may lead: to https:// and a public address, or to what the operator's policy names. What can be seen
// of an address is judged when it is named; where its name leads, at each call (call-back.ts).
import { TroupeError } from '../contract/errors.ts'
import { isClosedLiteral } from './addresses.ts'
import { readAllowed } from './allowed.ts'

export interface CallbackAddresses {
  /** Throws `address_refused`. */
  check(address: string): URL
  /** Named by the operator: it may lead into a private network. */
  mayBePrivate(url: URL): boolean
}

const LONGEST = 2_000

/** `named`: addresses, as TROUPE_DOCUMENT_URLS_PRIVATE has them. */
export function readCallbackAddresses(named: string[]): CallbackAddresses {
  const allowed = readAllowed({ public: [], private: named }, { public: '', private: 'webhooks.private' })
  const mayBePrivate = (url: URL) => allowed.judge(url).private
  return {
    mayBePrivate,
    check(address) {
      if (address.length > LONGEST || !URL.canParse(address)) throw callbackRefused('it is not an address')
      const url = new URL(address)
      if (url.username !== '' || url.password !== '') throw callbackRefused('it holds credentials')
      if (mayBePrivate(url)) return url
      if (url.protocol !== 'https:') throw callbackRefused('it does not begin with https://')
      if (isClosedLiteral(url)) throw callbackRefused(`${url.hostname} is not a public address`)
      return url
    },
  }
}

export function callbackRefused(why: string): TroupeError {
  return new TroupeError('address_refused', `The callback's address is refused: ${why}.`)
}
