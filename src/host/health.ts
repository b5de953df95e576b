// The agents' breakers on one host, and who hears of them: the log, and the platform's stream `agent_status`.
import type { Bus } from '../bus/bus.ts'
import { platformEvent } from '../bus/platform-events.ts'
import { TroupeError } from '../contract/errors.ts'
import { type Breakers, createBreakers } from './breakers.ts'

export interface Health extends Pick<Breakers, 'wait' | 'resting'> {
  /** An incarnation is over. */
  judge(agent: string, crashed: boolean): void
}

export function watchHealth(parts: {
  bus: Bus
  hostId(): string
  onTrouble(what: string, error: unknown): void
}): Health {
  const breakers = createBreakers()

  function tell(agent: string, state: 'resting' | 'serving'): void {
    parts.bus
      .publishPlatform(platformEvent('agent_status', { agent, state, host: parts.hostId() }))
      .catch((error: unknown) => parts.onTrouble(`publishing that ${agent} is ${state}`, error))
  }

  return {
    wait: breakers.wait,
    resting: breakers.resting,
    judge(agent, crashed) {
      if (!crashed) {
        if (breakers.lived(agent)) tell(agent, 'serving')
        return
      }
      const restMs = breakers.crashed(agent)
      if (restMs === undefined) return
      const message = `Its tasks crash again and again; it rests for ${restMs} ms.`
      parts.onTrouble(`running ${agent}`, new TroupeError('agent_crashed', message))
      tell(agent, 'resting')
    },
  }
}
