// TROUPE_BLOBS=s3://bucket/prefix?endpoint=https://…&region=…: documents in a bucket. The credentials and the region have
// the names that every tool for such buckets reads.
import { TroupeError } from '../contract/errors.ts'
import type { S3Options } from '../gateway/index.ts'
import type { Text } from './setting-values.ts'

/** What stands for itself in an address and in its signature. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/** What a bucket takes in one piece. */
const MOST_BYTES = 5 * 2 ** 30

/** Undefined: documents are kept where everything else is. */
export function bucketSettings(text: Text, maxDocumentBytes = 0): S3Options | undefined {
  const value = text('TROUPE_BLOBS')
  if (value === undefined) return undefined
  if (maxDocumentBytes > MOST_BYTES) {
    const message = `TROUPE_DOCUMENT_BYTES is ${maxDocumentBytes}, but a document is sent to a bucket in one piece, of ${MOST_BYTES} bytes at most.`
    throw new TroupeError('configuration_invalid', message)
  }
  const { protocol, hostname: bucket, pathname, searchParams: more } = addressOf(value)
  const folders = pathname.split('/').filter((folder) => folder !== '')
  if (protocol !== 's3:' || ![bucket, ...folders].every((name) => PLAIN.test(name))) {
    throw invalid('is not like s3://bucket/prefix?endpoint=https://…')
  }
  for (const name of more.keys()) {
    if (name !== 'endpoint' && name !== 'region') throw invalid(`knows endpoint and region, not ${name}`)
  }
  const wanted = more.get('region') ?? text('AWS_REGION') ?? text('AWS_DEFAULT_REGION')
  const endpoint = more.get('endpoint') ?? (wanted === undefined ? undefined : `https://s3.${wanted}.amazonaws.com`)
  if (endpoint === undefined) throw invalid('names neither an endpoint nor a region, and AWS_REGION is not set')
  if (!isBare(endpoint)) throw invalid('has an endpoint that is more or less than https:// or http:// with a host')
  // Stores that know no regions sign with this one.
  const region = wanted ?? 'us-east-1'
  if (!PLAIN.test(region)) throw invalid(`has a region that is none: ${region}`)
  const options: S3Options = { endpoint, bucket, region, credentials: credentials(text) }
  if (folders.length > 0) options.prefix = `${folders.join('/')}/`
  return options
}

function addressOf(value: string): URL {
  // The value is not told: it may hold more than an address.
  if (!URL.canParse(value)) throw invalid('is no address')
  const address = new URL(value)
  if (address.username !== '' || address.port !== '') throw invalid('holds more than a bucket before its prefix')
  return address
}

function isBare(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false
  const { protocol, pathname, search, username } = new URL(endpoint)
  return /^https?:$/.test(protocol) && pathname === '/' && search === '' && username === ''
}

function credentials(text: Text): S3Options['credentials'] {
  const accessKeyId = text('AWS_ACCESS_KEY_ID')
  const secretAccessKey = text('AWS_SECRET_ACCESS_KEY')
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw invalid('needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
  }
  if (text('AWS_SESSION_TOKEN') === undefined) return { accessKeyId, secretAccessKey }
  throw invalid('needs credentials that last; AWS_SESSION_TOKEN says that these end while Troupe runs')
}

function invalid(why: string): TroupeError {
  return new TroupeError('configuration_invalid', `TROUPE_BLOBS ${why}.`)
}
