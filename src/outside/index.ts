// What agents may read outside of Troupe, and only as far as the operator says: named databases, and files at allowed
// addresses. Neither credentials nor addresses come from a task.
//   sources.ts    the file of named sources, and who may use which
//   postgres.ts   one SELECT on a Postgres, read-only, within limits; postgres-rows.ts: its answer as cells
//   web.ts        a file at an address: redirects, sizes and times are watched
//   allowed.ts    the list of allowed addresses
//   addresses.ts  which IP addresses are public
//   callback-addresses.ts, call-back.ts   where callbacks may lead, and the one POST that Troupe sends out
// Keeps P9: what may not be read, or is too much, ends as a coded error before anything of it is kept.
export { type Allowed, readAllowed } from './allowed.ts'
export { type CallBack, createCallBack } from './call-back.ts'
export { type CallbackAddresses, readCallbackAddresses } from './callback-addresses.ts'
export { createSources, readSources, type SourceSettings } from './sources.ts'
export { createWeb, type WebLimits } from './web.ts'
