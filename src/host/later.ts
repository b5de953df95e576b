// What a host comes back to after a while, unless it has stopped by then.
export interface Later {
  after(ms: number, again: () => void): void
  stop(): void
}

export function createLater(): Later {
  const timers = new Set<NodeJS.Timeout>()
  let stopped = false
  return {
    after(ms, again) {
      if (stopped) return
      const timer = setTimeout(() => {
        timers.delete(timer)
        again()
      }, ms)
      timers.add(timer)
    },
    stop() {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
  }
}
