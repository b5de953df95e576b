// A file at an address. The name is resolved here and every address it has is judged before one is connected to, and
// the connection goes to the judged address, so that a name that changes its mind in between gains nothing. Redirects
// are followed by hand: each step is judged like the first. What a server says of itself is believed only downwards:
// a length over the limit is refused at once, a smaller one is counted all the same.
import { lookup as resolveName } from 'node:dns'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { TroupeError } from '../contract/errors.ts'
import type { Web, WebFile } from '../sdk/index.ts'
import { isClosedLiteral, lookupPublic } from './addresses.ts'
import type { Allowed } from './allowed.ts'

export interface WebLimits {
  bytes: number
  /** Milliseconds for all of it, redirects included. */
  time: number
  /** Milliseconds without a byte. */
  silence: number
  redirects: number
}

export const WEB_LIMITS: WebLimits = { bytes: 64 * 1024 * 1024, time: 60_000, silence: 15_000, redirects: 5 }

/** What may hold a document. A film or a program is not worth its download. */
const READABLE =
  /^(text\/|image\/|message\/rfc822$|application\/(octet-stream|pdf|rtf|json|xml|xhtml\+xml|zip|epub\+zip|csv|msword|vnd\.|x-ndjson))/

export function createWeb(allowed: Allowed, limits: WebLimits = WEB_LIMITS): (use: { signal: AbortSignal }) => Web {
  return ({ signal }) => ({
    async read(address) {
      const timeout = AbortSignal.timeout(limits.time)
      try {
        return await follow(address, allowed, limits, AbortSignal.any([signal, timeout]))
      } catch (error) {
        if (signal.aborted) throw signal.reason
        if (timeout.aborted) {
          throw new TroupeError('limit_exceeded', `${hostOf(address)} took longer than ${limits.time} ms.`)
        }
        if (error instanceof TroupeError) throw error
        throw new TroupeError('unavailable', `${hostOf(address)} cannot be read: ${(error as Error).message}`, {
          cause: error,
        })
      }
    },
  })
}

async function follow(address: string, allowed: Allowed, limits: WebLimits, signal: AbortSignal): Promise<WebFile> {
  let url = parse(address)
  for (let redirects = 0; redirects <= limits.redirects; redirects++) {
    const verdict = allowed.judge(url)
    if (!verdict.allowed) throw refused(`${url.origin}${url.pathname} is not among the allowed addresses`)
    const response = await ask(url, verdict.private, limits, signal)
    const { statusCode = 0, headers } = response
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      response.destroy()
      url = parse(headers.location, url)
      continue
    }
    try {
      return { url: url.href, ...(await receive(response, url, limits, signal)) }
    } finally {
      response.destroy()
    }
  }
  throw new TroupeError('limit_exceeded', `${hostOf(address)} redirects more than ${limits.redirects} times.`)
}

function ask(url: URL, mayBePrivate: boolean, limits: WebLimits, signal: AbortSignal): Promise<IncomingMessage> {
  if (!mayBePrivate && isClosedLiteral(url)) throw refused(`${url.hostname} is not a public address`)
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(
      url,
      {
        agent: false,
        lookup: mayBePrivate ? resolveName : lookupPublic(refused),
        signal,
        timeout: limits.silence,
        // A packed answer could unpack to anything.
        headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'troupe' },
      },
      resolve,
    )
    request.on('timeout', () => {
      const silent = `${url.host} was silent for ${limits.silence} ms.`
      request.destroy(new TroupeError('limit_exceeded', silent))
    })
    request.on('error', reject)
    request.end()
  })
}

async function receive(
  response: IncomingMessage,
  url: URL,
  limits: WebLimits,
  signal: AbortSignal,
): Promise<Omit<WebFile, 'url'>> {
  const { statusCode = 0, headers } = response
  if (statusCode >= 500 || statusCode === 429)
    throw new TroupeError('unavailable', `${url.host} answers ${statusCode}.`)
  if (statusCode !== 200) throw new TroupeError('document_unreadable', `${url.host} answers ${statusCode}.`)
  const mime = (headers['content-type'] ?? 'application/octet-stream').split(';')[0]!.trim().toLowerCase()
  if (!READABLE.test(mime)) throw new TroupeError('document_unreadable', `${url.host} sends ${mime}, not a document.`)
  const packing = headers['content-encoding'] ?? 'identity'
  if (packing !== 'identity') {
    throw new TroupeError(
      'document_unreadable',
      `${url.host} sends it packed with ${packing}, which was not asked for.`,
    )
  }
  response.setTimeout(limits.silence, () => {
    response.destroy(new TroupeError('limit_exceeded', `${url.host} was silent for ${limits.silence} ms.`))
  })
  const tooMuch = () => new TroupeError('limit_exceeded', `${url.host} sends more than ${limits.bytes} bytes.`)
  if (Number(headers['content-length'] ?? 0) > limits.bytes) throw tooMuch()
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    signal.throwIfAborted()
    bytes += piece.byteLength
    if (bytes > limits.bytes) throw tooMuch()
    pieces.push(piece)
  }
  if (!response.complete) throw new TroupeError('unavailable', `${url.host} broke off after ${bytes} bytes.`)
  return { name: nameOf(headers['content-disposition'], url), mime, content: Buffer.concat(pieces, bytes) }
}

/** What the server calls the file, or the last word of its path. */
function nameOf(disposition: string | undefined, url: URL): string {
  const said = /filename="?([^";]{1,255})"?/i.exec(disposition ?? '')?.[1]
  const last = url.pathname.split('/').at(-1) ?? ''
  const name = said ?? (last === '' ? url.hostname : decode(last))
  return name.split(/[\\/]/).at(-1)!.slice(0, 255) || url.hostname
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function parse(address: string, base?: URL): URL {
  if (!URL.canParse(address, base?.href)) throw refused('this is not an address')
  const url = new URL(address, base?.href)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused(`${url.protocol} is not read`)
  return url
}

/** Only the host is told: the rest of an address may be a secret link. */
function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : 'The address'
}

function refused(why: string): TroupeError {
  return new TroupeError('address_refused', `The document's address is refused: ${why}.`)
}
