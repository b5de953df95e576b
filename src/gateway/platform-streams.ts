// Who sees which of the platform's events: a tenant its own, and the platform's tenant also those that belong to nobody.
import type { Bus, Unsubscribe } from '../bus/bus.ts'
import type { PlatformEvent, PlatformEventType } from '../contract/events.ts'
import type { Principal } from './auth/principal.ts'

export interface Followed {
  stream: PlatformEventType
  /** Absent: only what happens from now on. */
  after?: number
}

export async function followPlatformFor(
  reader: Pick<Principal, 'tenant'>,
  platformTenant: string,
  bus: Pick<Bus, 'followPlatform'>,
  { stream, after }: Followed,
  handler: (event: PlatformEvent, sequence: number) => void,
): Promise<Unsubscribe> {
  const ofPlatform = reader.tenant === platformTenant
  const options = {
    // The bus gives a tenant only what is marked with it; what is marked with none it gives who asks for everything.
    ...(ofPlatform ? {} : { tenant: reader.tenant }),
    ...(after === undefined ? {} : { after: { [stream]: after } }),
  }
  return await bus.followPlatform([stream], options, (event, sequence) => {
    // What belongs to another tenant must not depend on the bus alone.
    if (event.tenant === undefined ? ofPlatform : event.tenant === reader.tenant) handler(event, sequence)
  })
}
