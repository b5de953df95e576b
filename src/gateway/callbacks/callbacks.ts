// Whom a tenant's tasks tell of their end: what a submission names, and the webhooks that the tenant keeps.
//   callbacks.ts   this file: checks and attaches them; says where a delivery goes
//   sealing.ts     their secrets, sealed
// A task carries its callbacks from its submission on. A webhook made later is not of earlier tasks; one that is removed
// is called no more, because its address is looked up at each attempt.
import { randomBytes } from 'node:crypto'
import { type Callback, type CallbackEvent, MAX_WEBHOOKS } from '../../contract/callbacks.ts'
import { TroupeError } from '../../contract/errors.ts'
import { newId } from '../../contract/ids.ts'
import type { CallbackAddresses } from '../../outside/callback-addresses.ts'
import { BoundedCache } from '../bounded-cache.ts'
import type { GatewayStore, WebhookRow, WebhookStore } from '../store/store.ts'
import { createSealing, type Sealing } from './sealing.ts'

export interface WantedCallback {
  url: string
  events?: CallbackEvent[] | undefined
  secret?: string | undefined
}

export interface Destination {
  url: string
  /** As Standard Webhooks writes them: whsec_ and base64. Two while one takes the place of the other. */
  secrets: string[]
}

export interface Callbacks {
  /** Checked, its secret sealed; throws `address_refused`. */
  own(tenant: string, wanted: WantedCallback): Promise<Callback>
  /** With those of the tenant's webhooks, at once when they are known. Undefined: nobody wants to be told. */
  attach(tenant: string, own: Callback[]): Callback[] | undefined | Promise<Callback[] | undefined>
  /** Undefined: the webhook was removed. */
  destination(tenant: string, callback: Callback): Promise<Destination | undefined>
  signingSecret(tenant: string): Promise<string>

  create(
    tenant: string,
    wanted: WantedCallback & { createdBy: string },
  ): Promise<{ webhook: WebhookRow; secret: string }>
  list(tenant: string): Promise<WebhookRow[]>
  /** Another secret; the one before is good for so long. */
  rotate(
    tenant: string,
    id: string,
    wanted: { secret?: string | undefined; overlapMs: number },
  ): Promise<{ webhook: WebhookRow; secret: string }>
  remove(tenant: string, id: string): Promise<void>
}

/** How long a gateway may not know of a new webhook. */
const REMEMBERED_MS = 5_000
const REMEMBERED = 1_000

export function createCallbacks(parts: {
  store: Pick<GatewayStore, 'secret' | keyof WebhookStore>
  addresses: CallbackAddresses
}): Callbacks {
  const { store, addresses } = parts
  const known = new BoundedCache<Callback[]>({ size: REMEMBERED, ttlMs: REMEMBERED_MS })
  let key: Promise<Sealing> | undefined

  async function sealing(): Promise<Sealing> {
    key ??= store
      .secret('callback-key', randomBytes(32).toString('hex'))
      .then((hex) => createSealing(Buffer.from(hex, 'hex')))
    try {
      return await key
    } catch (error) {
      key = undefined
      throw error
    }
  }

  async function lookUp(tenant: string): Promise<Callback[]> {
    const found = (await store.webhooks(tenant)).map(({ id, events }): Callback => {
      return events === undefined ? { webhook: id } : { webhook: id, events }
    })
    known.set(tenant, found)
    return found
  }

  return {
    async own(tenant, { url, events, secret }) {
      const address = addresses.check(url).href
      const open = await sealing()
      const sealed = open.seal(tenant, secret === undefined ? open.signingSecret(tenant) : checkSecret(secret))
      return events === undefined ? { url: address, secret: sealed } : { url: address, secret: sealed, events }
    },

    attach(tenant, own) {
      const webhooks = known.get(tenant)
      return webhooks === undefined ? lookUp(tenant).then((found) => together(own, found)) : together(own, webhooks)
    },

    async destination(tenant, callback) {
      const open = await sealing()
      if ('url' in callback) return { url: callback.url, secrets: [open.open(tenant, callback.secret)] }
      const webhook = (await store.webhooks(tenant)).find(({ id }) => id === callback.webhook)
      if (webhook === undefined) return undefined
      const { url, secret, old } = webhook
      const sealed = old === undefined || old.until <= Date.now() ? [secret] : [secret, old.secret]
      return { url, secrets: sealed.map((one) => open.open(tenant, one)) }
    },

    signingSecret: async (tenant) => (await sealing()).signingSecret(tenant),

    async create(tenant, { url, events, secret: given, createdBy }) {
      const secret = secretOf(given)
      const address = addresses.check(url).href
      if ((await store.webhooks(tenant)).length >= MAX_WEBHOOKS) {
        throw new TroupeError('limit_exceeded', `A tenant may have ${MAX_WEBHOOKS} webhooks; remove one first.`)
      }
      const sealed = (await sealing()).seal(tenant, secret)
      const id = newId('hook')
      const webhook: WebhookRow = { id, tenant, url: address, secret: sealed, createdAt: Date.now(), createdBy }
      if (events !== undefined) webhook.events = events
      await store.addWebhook(webhook)
      await lookUp(tenant)
      return { webhook, secret }
    },

    list: (tenant) => store.webhooks(tenant),

    async rotate(tenant, id, { secret: given, overlapMs }) {
      const secret = secretOf(given)
      const read = (await store.webhooks(tenant)).find((webhook) => webhook.id === id)
      if (read === undefined) throw unknown(id)
      const old = { secret: read.secret, until: Date.now() + overlapMs }
      const webhook = { ...read, secret: (await sealing()).seal(tenant, secret), old }
      // Two at a time: only one of their answers may name the secret that counts.
      if (await store.replaceWebhook(read, webhook)) return { webhook, secret }
      throw new TroupeError('wrong_state', `The webhook ${id} was changed meanwhile; rotate again.`)
    },

    async remove(tenant, id) {
      if (!(await store.removeWebhook(tenant, id))) throw unknown(id)
      await lookUp(tenant)
    },
  }
}

function together(own: Callback[], webhooks: Callback[]): Callback[] | undefined {
  return own.length + webhooks.length === 0 ? undefined : [...own, ...webhooks]
}

function unknown(id: string): TroupeError {
  return new TroupeError('not_found', `There is no webhook ${id}.`)
}

function secretOf(given: string | undefined): string {
  return given === undefined ? `whsec_${randomBytes(32).toString('base64')}` : checkSecret(given)
}

/** 24 to 64 bytes, as Standard Webhooks asks. The secret itself is in no message. */
function checkSecret(secret: string): string {
  const [, text = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? []
  const bytes = Buffer.from(text, 'base64').length
  if (bytes >= 24 && bytes <= 64) return secret
  throw new TroupeError('invalid_request', 'secret: must be whsec_ and 24 to 64 bytes in base64')
}
