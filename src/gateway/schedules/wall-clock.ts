// What the clocks on the wall of a time zone show, by the zone rules that Node brings.
import { TroupeError } from '../../contract/errors.ts'

export interface WallClock {
  /** Milliseconds that the wall is ahead of UTC at a moment. */
  offsetAt(moment: number): number
}

export function openWallClock(timeZone: string): WallClock {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    throw new TroupeError('invalid_request', `${JSON.stringify(timeZone)} is no time zone; one is like Europe/Berlin.`)
  }
  return {
    offsetAt(moment) {
      const whole = Math.floor(moment / 1_000) * 1_000
      const shown = Object.fromEntries(format.formatToParts(whole).map(({ type, value }) => [type, Number(value)]))
      const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown
      return Date.UTC(year, month - 1, day, hour, minute, second) - whole
    },
  }
}

const DAY_MS = 86_400_000

/**
 * The moments at which the wall shows a time, given as if it were UTC. Usually one. Where clocks go back there are two,
 * of which `both` asks for the second as well. Where they go forward there is none: then the moment is as far behind
 * the gap as the time is within it, or, with `both`, missing.
 */
export function localTime(clock: WallClock, shown: number, both: boolean): number[] {
  const before = clock.offsetAt(shown - DAY_MS)
  const behind = clock.offsetAt(shown + DAY_MS)
  if (before === behind) return [shown - before]
  const real = [shown - before, shown - behind].filter((moment) => moment + clock.offsetAt(moment) === shown)
  if (real.length === 0) return both ? [] : [shown - before]
  const ordered = [...new Set(real)].sort((one, other) => one - other)
  return both ? ordered : ordered.slice(0, 1)
}
