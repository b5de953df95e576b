// Secrets that callers entrust to us, sealed before they leave the gateway: journal, bus, backups and plug-ins carry what
// only a holder of the key can open. The same secret of the same tenant is sealed to the same text, so that a repeated
// submission is the same submission; that is why the nonce is made of what it protects.
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'

export interface Sealing {
  seal(tenant: string, secret: string): string
  open(tenant: string, sealed: string): string
  /** What a tenant's messages are signed with when nothing else was said. */
  signingSecret(tenant: string): string
}

const NONCE = 12
const TAG = 16

export function createSealing(key: Buffer): Sealing {
  const derived = (...parts: string[]) => createHmac('sha256', key).update(JSON.stringify(parts)).digest()
  const sealing = derived('sealing')
  return {
    seal(tenant, secret) {
      const nonce = derived('nonce', tenant, secret).subarray(0, NONCE)
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce).setAAD(Buffer.from(tenant))
      const hidden = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), hidden]).toString('base64url')
    },
    open(tenant, sealed) {
      const bytes = Buffer.from(sealed, 'base64url')
      const opening = createDecipheriv('aes-256-gcm', sealing, bytes.subarray(0, NONCE), { authTagLength: TAG })
      opening.setAAD(Buffer.from(tenant)).setAuthTag(bytes.subarray(NONCE, NONCE + TAG))
      return Buffer.concat([opening.update(bytes.subarray(NONCE + TAG)), opening.final()]).toString('utf8')
    },
    signingSecret: (tenant) => `whsec_${derived('signing', tenant).toString('base64')}`,
  }
}
