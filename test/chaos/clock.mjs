// Preloaded into hosts: on SIGUSR2 the wall clock jumps by CHAOS_CLOCK_MS, and with the next one back. The monotonic
// clock and timers go on, as they do when an administrator sets a machine's time.
const real = Date.now
let shift = 0
Date.now = () => real() + shift
process.on('SIGUSR2', () => {
  shift = shift === 0 ? Number(process.env.CHAOS_CLOCK_MS ?? 3_600_000) : 0
})
