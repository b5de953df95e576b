// The list of addresses that documents may be read from: "https://files.example.org/reports/" allows what begins so;
// "https://*.example.org" any host below it. An address that leads into a private network must be named exactly, and in
// a list of its own, so that nobody opens the intranet by a wildcard.
import { TroupeError } from '../contract/errors.ts'

interface Rule {
  protocol: string
  /** With its port, if it is not the protocol's own. */
  host: string
  path: string
  private: boolean
}

export interface Allowed {
  /** May this address be asked for, and may it lead into a private network? */
  judge(url: URL): { allowed: boolean; private: boolean }
}

/** `settings`: how the lists are called where the operator writes them. */
export function readAllowed(
  lists: { public: string[]; private: string[] },
  settings = { public: 'TROUPE_DOCUMENT_URLS', private: 'TROUPE_DOCUMENT_URLS_PRIVATE' },
): Allowed {
  const rules = [
    ...lists.public.map((entry) => readRule(entry, settings.public)),
    ...lists.private.map((entry) => ({ ...readRule(entry, settings.private), private: true })),
  ]
  for (const rule of rules) {
    if (rule.private && rule.host.startsWith('*.')) {
      throw wrong(settings.private, rule.host, 'names a host exactly, without a wildcard')
    }
  }
  return {
    judge(url) {
      // What a URL says of a user is a credential, and none come from a task.
      const matching = url.username === '' && url.password === '' ? rules.filter((rule) => matches(rule, url)) : []
      return { allowed: matching.length > 0, private: matching.some((rule) => rule.private) }
    },
  }
}

function matches({ protocol, host, path }: Rule, url: URL): boolean {
  if (url.protocol !== protocol) return false
  const fits = host.startsWith('*.') ? url.host.endsWith(host.slice(1)) : url.host === host
  // "/reports" allows /reports and /reports/a, but not /reports-of-the-board.
  return fits && (path.endsWith('/') ? url.pathname.startsWith(path) : `${url.pathname}/`.startsWith(`${path}/`))
}

function readRule(entry: string, setting: string): Rule {
  const wildcard = /^(https?:\/\/)\*\./.exec(entry)
  const written = wildcard === null ? entry : entry.replace('*.', 'any.')
  const url = URL.canParse(written) ? new URL(written) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw wrong(setting, entry, 'begins with https:// or http://')
  if (url.username !== '' || url.search !== '' || url.hash !== '') {
    throw wrong(setting, entry, 'has a host and perhaps a path, and nothing else')
  }
  const host = wildcard === null ? url.host : `*${url.host.slice('any'.length)}`
  return { protocol: url.protocol, host, path: url.pathname, private: false }
}

function wrong(setting: string, entry: string, what: string): TroupeError {
  return new TroupeError('configuration_invalid', `${setting} has the entry ${entry}; an entry ${what}.`)
}
