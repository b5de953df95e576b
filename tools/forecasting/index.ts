// Forecasts of a series, each judged on its own past before it is believed.
//   models.ts      seasonal naive, damped Holt–Winters, theta, level with season: values in, values ahead out
//   back-test.ts   every model forecasts known stretches; the errors choose the model and make the intervals
//   calendar.ts    the periods after the last, and those missing in between
export { type BackTest, forecastSeries } from './back-test.ts'
export { fillGaps, nextPeriods, periodName } from './calendar.ts'
export { type ForecastModel, MODELS, seasonalNaive } from './models.ts'
