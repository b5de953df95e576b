// One POST to a callback. Its name is resolved here and every address it has is judged before one is connected to; no
// redirect is followed; of the answer only the status is read.
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { lookupPublic } from './addresses.ts'
import { type CallbackAddresses, callbackRefused } from './callback-addresses.ts'

export interface Call {
  url: string
  headers: Record<string, string>
  body: string
  signal: AbortSignal
}

/** The status it was answered with. Fails as `address_refused` for good; with anything else when nobody answered. */
export type CallBack = (call: Call) => Promise<number>

export function createCallBack(addresses: CallbackAddresses, timeoutMs = 15_000): CallBack {
  return async ({ url: address, headers, body, signal }) => {
    // Once more: the operator may have changed his mind since it was accepted.
    const url = addresses.check(address)
    const late = AbortSignal.timeout(timeoutMs)
    const options = {
      method: 'POST',
      agent: false,
      ...(addresses.mayBePrivate(url) ? {} : { lookup: lookupPublic(callbackRefused) }),
      signal: AbortSignal.any([signal, late]),
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
    }
    try {
      return await new Promise((resolve, reject) => {
        const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, (response) => {
          resolve(response.statusCode ?? 0)
          // It may never end.
          response.destroy()
        })
        request.on('error', reject)
        request.end(body)
      })
    } catch (error) {
      if (late.aborted && !signal.aborted) throw new Error(`no answer within ${timeoutMs} ms`, { cause: error })
      throw error
    }
  }
}
