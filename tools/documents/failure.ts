// Whatever a parser throws at a hostile file becomes one coded error that names the trouble.
import { TroupeError } from '@troupe/sdk'

export function toFailure(thrown: unknown): TroupeError {
  if (thrown instanceof TroupeError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  if (thrown instanceof RangeError && /allocation|string length|array length|call stack/i.test(message)) {
    return new TroupeError('limit_exceeded', `The document asks for more memory than is allowed: ${message}`, {
      cause: thrown,
    })
  }
  return new TroupeError('document_unreadable', `The document is damaged: ${message.slice(0, 300)}`, { cause: thrown })
}
