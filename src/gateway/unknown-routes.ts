// Tells "no such path" (404) from "not with this method" (405, with Allow), which the router does not.
import type { FastifyInstance } from 'fastify'

export interface Routes {
  methodsOf(url: string): string[]
}

export function rememberRoutes(app: FastifyInstance): Routes {
  const patterns = new Map<string, { pattern: RegExp; methods: Set<string> }>()

  app.addHook('onRoute', (route) => {
    const known = patterns.get(route.url) ?? { pattern: patternOf(route.url), methods: new Set<string>() }
    for (const method of [route.method].flat()) known.methods.add(method)
    patterns.set(route.url, known)
  })

  return {
    methodsOf(url) {
      const path = url.split('?', 1)[0]!
      const methods = new Set<string>()
      for (const known of patterns.values()) {
        // CORS answers OPTIONS everywhere: its catch-all says nothing about a path.
        if (known.methods.has('OPTIONS') || !known.pattern.test(path)) continue
        for (const method of known.methods) methods.add(method)
      }
      return [...methods].sort()
    },
  }
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part === '*') return '.*'
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}$`)
}
