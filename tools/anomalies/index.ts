// Anomalies in a time series. Each method watches one way in which a value can be strange, looking only at what came
// before it, so that the same code serves a finished file and a live series.
//   methods.ts    the strangeness of each value: level, jump, season, recent level, recent scatter, shape
//   surprise.ts   strangeness to surprise: how rare was that much, so far
//   watch.ts      for long and live series: the methods vote; an alarm when together they are surprised, one an episode
//   look-back.ts  for short series seen as a whole: course, neighbours and jumps vote
//   apart.ts      both in a thread, for a series that would hold the event loop
export { lookBackApart, watchApart } from './apart.ts'
export { lookBack, type Oddity } from './look-back.ts'
export { type Alarm, type WatchOptions, watchSeries } from './watch.ts'
