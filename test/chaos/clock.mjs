// Preloaded into hosts: with each SIGUSR2 the wall clock is set: an hour ahead, right, an hour behind, right. The
// monotonic clock and timers go on, as they do when an administrator sets a machine's time. (A time namespace of the
// kernel shifts only the monotonic clocks, the opposite of what is wanted.)
const HOUR_MS = 3_600_000
const SETTINGS = [0, HOUR_MS, 0, -HOUR_MS]
const RealDate = Date
const rightNow = Date.now
let set = 0
const now = () => rightNow() + SETTINGS[set]

RealDate.now = now
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, made) => Reflect.construct(target, given.length === 0 ? [now()] : given, made),
  apply: () => new RealDate(now()).toString(),
})
process.on('SIGUSR2', () => {
  set = (set + 1) % SETTINGS.length
})
